"""What makes lists and the overview quick: an index of texts that many studies share, which are looked up among the few
different ones instead of in every study; and how many studies there were a day. The writer keeps both with each study, in the
same transaction."""

from .field import Table, clock, day, integer, text

# Fields of the study whose texts are indexed.
INDEXED = (
    "study_description", "requested_procedure_description", "performed_procedure_step_description", "acquisition_protocols",
)  # fmt: skip

TERM = Table(
    "term", "Terms", "Each different text of the indexed fields once.",
    (
        integer("id", "Number"),
        text("field", "Field", description="The field of study that it stands in."),
        text("value", "Text"),
    ),
)  # fmt: skip


def index_name(field: str) -> str:
    """The name of a field's index."""
    return f"index_{field}"


INDEXES = tuple(
    Table(
        index_name(name), f"Index of {name}", f"Which study has which text in {name}, one row each.",
        (integer("study_id", "Study"), integer("term", "Term", description="The number of the text in term.")),
    )
    for name in INDEXED
)  # fmt: skip

STUDY_DAY = Table(
    "study_day", "Studies a day",
    "How many studies of which modality type and system were made on a day; without possible test data.",
    (
        text("modality", "Modality"),
        integer("equipment_id", "Equipment"),
        day("study_date", "Study date"),
        integer("studies", "Studies"),
        integer("events", "Events"),
        clock("last_time", "Last time", description="The time of the day's last study."),
    ),
)  # fmt: skip
