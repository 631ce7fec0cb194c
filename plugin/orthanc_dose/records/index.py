"""Index of texts that many studies share: what lists are searched by most, looked up among the few different texts instead of
in every study. The writer keeps it with each study, in the same transaction."""

from .field import Table, integer, text

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
