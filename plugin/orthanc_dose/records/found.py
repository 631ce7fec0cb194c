"""The results of a search on a remote node, and what became of them."""

from .field import Table, flag, integer, moment, text, texts, uid

# States of a series that is fetched.
FETCHING = {
    "moving": "its move is under way",
    "moved": "the node says that it sent it",
    "failed": "it could not be fetched",
}

FOUND = Table(
    "found",
    "Found on nodes",
    "One row a series that a search found on a remote node, or a study that was left before its "
    "series were asked for.",
    (
        integer("task_id", "Task", always=True, description="The search."),
        integer("line", "Line", always=True, description="A running number in the search, from 1."),
        uid("study_instance_uid", "Study instance UID", always=True, source="(0020,000D)"),
        text("study_date", "Study date", description="As the node gives it.", source="(0008,0020)"),
        text("study_description", "Study description", source="(0008,1030)"),
        texts(
            "modalities",
            "Modalities",
            description="Of the study, as the node gives them.",
            source="(0008,0061)",
        ),
        texts(
            "looked_at_as",
            "Looked at as",
            description="The kinds of studies by whose rules it was decided.",
        ),
        text(
            "study_reason",
            "Reason of the study",
            description="Why nothing of it is fetched; empty where something is.",
        ),
        text("told", "Told", description="What the node said of it."),
        uid("series_instance_uid", "Series instance UID", source="(0020,000E)"),
        text("modality", "Modality", source="(0008,0060)"),
        text("series_description", "Series description", source="(0008,103E)"),
        text("station_name", "Station name", source="(0008,1010)"),
        integer(
            "size",
            "Objects",
            description="How many the series has; empty where the node does not say.",
            source="(0020,1209)",
        ),
        flag("kept", "Kept", description="It carries dose, by the rules."),
        text("reason", "Reason", description="Why it is fetched, or not."),
        texts(
            "images",
            "Images",
            description="SOP instance UIDs of those that are fetched one by one; empty for the "
            "series.",
        ),
        texts(
            "listed",
            "Listed",
            description="SOP instance UIDs of the objects, where the node was asked and lists "
            "them.",
        ),
        flag("chosen", "Chosen", description="It is to be fetched: kept, and not ticked off."),
        text(
            "state",
            "State",
            description="; ".join(f"{state}: {what}" for state, what in FETCHING.items())
            + "; else empty.",
        ),
        text("fault", "Fault", description="What the node or Orthanc said when it failed."),
        integer(
            "asked_for",
            "Asked for",
            description="How many objects; empty where the node does not say.",
        ),
        integer("arrived", "Arrived", description="How many of them the store has an outcome of."),
        integer(
            "imported",
            "Imported",
            description="How many of them gave dose: imported, merged or duplicate.",
        ),
    ),
)

SCHEDULE_RUN = Table(
    "schedule_run",
    "Runs of schedules",
    "One row a run of a saved search, the newest of each.",
    (
        text("schedule", "Schedule", always=True),
        moment("due", "Due", always=True, description="When it should have begun, UTC."),
        integer("task_id", "Search", description="Its search; empty where none could begin."),
        text("message", "Message", description="Why none could begin."),
        text(
            "search",
            "Search kept",
            description="JSON: what came of the search, from when its task is forgotten.",
        ),
        text(
            "retrieval",
            "Retrieval kept",
            description="JSON: what came of the newest retrieval of what it found, from when its "
            "task is forgotten.",
        ),
    ),
)
