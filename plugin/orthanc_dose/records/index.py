"""Tables that make lists and the overview fast: an index of texts that many studies share, so that
a search goes through the few distinct texts instead of every study; and the number of studies per
day. The writer updates both with each study, in the same transaction."""

from .field import Table, clock, day, integer, text

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
    "Each different text of the indexed fields once.",
    (
        integer("id", "Number", always=True),
        text("field", "Field", always=True, description="The field of study that it stands in."),
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
        f"Which study has which text in {name}, one row each.",
        (
            integer("study_id", "Study"),
            integer("term", "Term", description="The number of the text in term."),
        ),
    )
    for name in INDEXED
)

STANDARD_NAME = Table(
    "standard_name",
    "Map of names",
    "What an installation calls protocols and procedures, whatever the systems write. The first "
    "entry that fits counts.",
    (
        integer("position", "Position", description="From 1."),
        text(
            "kind",
            "Kind",
            always=True,
            description="The indexed field of study whose texts it names.",
        ),
        text(
            "pattern",
            "Pattern",
            always=True,
            description="With the wildcards * ? [seq] [!seq]; case is ignored.",
        ),
        text("modality", "Modality", description="Only in studies of this type; empty for all."),
        text("standard_name", "Standard name", always=True),
    ),
)

TERM_NAME = Table(
    "term_name",
    "Standard names of terms",
    "What the map of names makes of a text in studies of a modality type.",
    (
        integer("term", "Term", description="The number of the text in term."),
        text("modality", "Modality"),
        text("standard_name", "Standard name"),
    ),
)

# A view, not a table: see store/index.py.
STUDY_STANDARD_NAME = Table(
    "study_standard_name",
    "Standard names of studies",
    "What the map of names makes of the texts of each study.",
    (
        integer("study_id", "Study"),
        text("kind", "Kind", description="The field of study whose text it names."),
        text("standard_name", "Standard name"),
    ),
)
STUDY_NAMES = STUDY_STANDARD_NAME.name

STUDY_DAY = Table(
    "study_day",
    "Studies a day",
    "How many studies of which modality type and system were made on a day; without possible test "
    "data.",
    (
        text("modality", "Modality"),
        integer("equipment_id", "Equipment"),
        day("study_date", "Study date"),
        integer("studies", "Studies"),
        integer("events", "Events"),
        clock("last_time", "Last time", description="The time of the day's last study."),
    ),
)
