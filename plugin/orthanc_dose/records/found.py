"""The results of a search on a remote node, and what became of them."""

from .field import Table, flag, integer, moment, text, texts, uid

# States of a series that is fetched.
FETCHING = {
    "moving": "its C-MOVE is in progress",
    "moved": "the node reports that it sent it",
    "failed": "it could not be fetched",
}

FOUND = Table(
    "found",
    "Search results",
    "One row per series that a search found on a remote node, or per study that was skipped "
    "before its series were queried.",
    (
        integer("task_id", "Task", always=True, description="Task of the search."),
        integer(
            "line",
            "Line",
            always=True,
            description="Line number within the search, counted from 1.",
        ),
        uid("study_instance_uid", "Study instance UID", always=True, source="(0020,000D)"),
        text(
            "study_date", "Study date", description="As returned by the node.", source="(0008,0020)"
        ),
        text("study_description", "Study description", source="(0008,1030)"),
        texts(
            "modalities",
            "Modalities",
            description="Modalities of the study, as returned by the node.",
            source="(0008,0061)",
        ),
        texts(
            "looked_at_as",
            "Groups applied",
            description="Modality groups whose rules were applied.",
        ),
        text(
            "study_reason",
            "Reason for the study",
            description="Why nothing of the study is fetched; empty if something is.",
        ),
        text("told", "Answer of the node", description="What the node reported about the study."),
        uid("series_instance_uid", "Series instance UID", source="(0020,000E)"),
        text("modality", "Modality", source="(0008,0060)"),
        text("series_description", "Series description", source="(0008,103E)"),
        text("station_name", "Station name", source="(0008,1010)"),
        integer(
            "size",
            "Objects",
            description="Number of objects in the series; empty if the node does not report it.",
            source="(0020,1209)",
        ),
        flag("kept", "Kept", description="Whether it carries dose, according to the rules."),
        text("reason", "Reason", description="Why it is fetched or skipped."),
        texts(
            "images",
            "Images",
            description="SOP instance UIDs of the objects that are fetched one by one; empty if "
            "the whole series is fetched.",
        ),
        texts(
            "listed",
            "Listed",
            description="SOP instance UIDs of the objects, if the node was queried for them and "
            "lists them.",
        ),
        flag(
            "chosen", "Chosen", description="Whether it is to be fetched: kept and not deselected."
        ),
        text(
            "state",
            "State",
            description="; ".join(f"{state}: {what}" for state, what in FETCHING.items())
            + "; otherwise empty.",
        ),
        text("fault", "Fault", description="Error reported by the node or Orthanc."),
        integer(
            "asked_for",
            "Requested",
            description="Number of objects requested; empty if the node does not report it.",
        ),
        integer("arrived", "Arrived", description="How many of them have an outcome in the store."),
        integer(
            "imported",
            "Imported",
            description="How many of them gave dose data: imported, merged or duplicate.",
        ),
    ),
)

SCHEDULE_RUN = Table(
    "schedule_run",
    "Runs of schedules",
    "One row per run of a scheduled search, for the latest runs of each schedule.",
    (
        text("schedule", "Schedule", always=True),
        moment("due", "Due", always=True, description="When the run was due, UTC."),
        integer("task_id", "Search", description="Task of its search; empty if none could start."),
        text("message", "Message", description="Why no search could start."),
        text(
            "search",
            "Result of the search",
            description="JSON: result of the search, kept here once its task is deleted.",
        ),
        text(
            "retrieval",
            "Result of the retrieval",
            description="JSON: result of the latest retrieval of what it found, kept here once "
            "its task is deleted.",
        ),
    ),
)
