"""Tables that make lists and the overview fast: an index of texts that many studies share, so that
a search goes through the few distinct texts instead of every study; and the number of studies per
day. The writer updates both with each study, in the same transaction."""

from .field import Table, clock, day, integer, moment, text

# Fields of the study whose texts are indexed.
INDEXED = (
    "study_description",
    "requested_procedure_description",
    "performed_procedure_step_description",
    "acquisition_protocols",
)

TERM = Table(
    "term",
    "Terms",
    "Each distinct text of the indexed fields.",
    (
        integer("id", "Number", always=True),
        text("field", "Field", always=True, description="Field of `study` that contains the text."),
        text("value", "Text", always=True),
    ),
)


def index_name(field: str) -> str:
    """Return the name of a field's index."""
    return f"index_{field}"


INDEXES = tuple(
    Table(
        index_name(name),
        f"Index of {name}",
        f"One row per study and text in {name}.",
        (
            integer("study_id", "Study"),
            integer("term", "Term", description="Number of the text in `term`."),
        ),
    )
    for name in INDEXED
)

STANDARD_NAME = Table(
    "standard_name",
    "Map of names",
    "Standard names of an installation for protocols and procedures, regardless of what systems "
    "write. The first matching entry applies.",
    (
        integer("position", "Position", description="Counted from 1."),
        text(
            "kind",
            "Kind",
            always=True,
            description="Indexed field of `study` whose texts the entry names.",
        ),
        text(
            "pattern",
            "Pattern",
            always=True,
            description="May contain the wildcards * ? [seq] [!seq]; case is ignored.",
        ),
        text(
            "modality",
            "Modality",
            description="Modality type of the studies that the entry applies to; empty for all.",
        ),
        text("standard_name", "Standard name", always=True),
    ),
)

TERM_NAME = Table(
    "term_name",
    "Standard names of terms",
    "Standard name that the map of names gives to a text in studies of a modality type.",
    (
        integer("term", "Term", description="Number of the text in `term`."),
        text("modality", "Modality"),
        text("standard_name", "Standard name"),
    ),
)

# A view, not a table: see store/index.py.
STUDY_STANDARD_NAME = Table(
    "study_standard_name",
    "Standard names of studies",
    "Standard names that the map of names gives to the texts of each study.",
    (
        integer("study_id", "Study"),
        text("kind", "Kind", description="Field of `study` that contains the text."),
        text("standard_name", "Standard name"),
    ),
)
STUDY_NAMES = STUDY_STANDARD_NAME.name

EVENT_UID = Table(
    "index_event_uid",
    "Index of event UIDs",
    "One row per event with an irradiation or administration event UID.",
    (
        integer("study_id", "Study"),
        integer("key", "Key", description="Hash of the UID (store/sharing.py)."),
        moment("started", "Started", description="Start of the event, if it has one."),
        day("day", "Day", description="Day of the event, else of the study."),
    ),
)

TOTALS_AS_REPORTED = Table(
    "totals_as_reported",
    "Totals as reported",
    "One row per study of which some events, but not all, count in another study: its totals "
    "while all of its events counted.",
    (
        integer("study_id", "Study"),
        text("totals", "Totals", description="JSON: fields of `study` and their values."),
    ),
)

REJECTED_OBJECT = Table(
    "rejected_object",
    "Rejected objects",
    "One row per rejection note and object that it names, whether the object is in the store or "
    "not.",
    (
        text("handle", "Handle", description="Handle of the note."),
        text("sop_instance_uid", "SOP instance UID", description="Object that is rejected."),
        text("reason", "Reason", description="The title of the note (extract/rejection.py)."),
    ),
)

STUDY_DAY = Table(
    "study_day",
    "Studies per day",
    "Number of studies per day, modality type and system, without possible test data and studies "
    "that do not count.",
    (
        text("modality", "Modality"),
        integer("equipment_id", "Equipment"),
        day("study_date", "Study date"),
        integer("studies", "Studies"),
        integer("events", "Events"),
        clock("last_time", "Last time", description="Time of the last study of the day."),
    ),
)
