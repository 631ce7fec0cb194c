"""What a search on a remote node found, and what became of it."""

from .field import Table, flag, integer, text, texts, uid

FOUND = Table(
    "found", "Found on nodes",
    "One row a series that a search found on a remote node, or a study that was left before its series were asked for.",
    (
        integer("task_id", "Task", description="The search."),
        integer("line", "Line", description="A running number in the search, from 1."),
        uid("study_instance_uid", "Study instance UID", source="(0020,000D)"),
        text("study_date", "Study date", description="As the node gives it.", source="(0008,0020)"),
        text("study_description", "Study description", source="(0008,1030)"),
        texts("modalities", "Modalities", description="Of the study, as the node gives them.", source="(0008,0061)"),
        texts("looked_at_as", "Looked at as", description="The kinds of studies by whose rules it was decided."),
        text("study_reason", "Reason of the study", description="Why nothing of it is fetched; empty where something is."),
        text("told", "Told", description="What the node said of it."),
        uid("series_instance_uid", "Series instance UID", source="(0020,000E)"),
        text("modality", "Modality", source="(0008,0060)"),
        text("series_description", "Series description", source="(0008,103E)"),
        text("station_name", "Station name", source="(0008,1010)"),
        integer("size", "Objects", description="How many the series has; empty where the node does not say.",
                source="(0020,1209)"),
        flag("kept", "Kept", description="It carries dose, by the rules."),
        text("reason", "Reason", description="Why it is fetched, or not."),
        texts("images", "Images", description="SOP instance UIDs of those that are fetched one by one; empty for the series."),
        flag("chosen", "Chosen", description="It is to be fetched: kept, and not ticked off."),
    ),
)  # fmt: skip
