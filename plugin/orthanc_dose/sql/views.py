"""The views that SQL reads: the dose record as described by the data dictionary, without internals
of the program.
"""

from dataclasses import dataclass, replace

from ..records import (
    EQUIPMENT,
    ESTIMATE,
    IDENTITY_FIELDS,
    OBJECT,
    OBJECT_OUTCOMES,
    STUDY,
    STUDY_STANDARD_NAME,
    STUDY_TABLES,
    Field,
    Table,
)


@dataclass(frozen=True)
class View:
    """A view, which has the name of its table.

    fields: its columns, for callers who may know who patients are. rows: those of the table that it
    has, as a condition.
    """

    table: Table
    fields: tuple[Field, ...]
    rows: str = "true"

    @property
    def name(self) -> str:
        return self.table.name

    def columns(self, identity: bool) -> tuple[Field, ...]:
        """Return the columns for a caller. identity: whether the caller may know who patients are."""
        return tuple(field for field in self.fields if identity or not self.tells_identity(field))

    def tells_identity(self, field: Field) -> bool:
        """Return whether a column of this view identifies the patient."""
        return self.table in (STUDY, NOT_COUNTED) and field.name in IDENTITY_FIELDS

    @property
    def source(self) -> str:
        """The table of the store that has its rows."""
        return STUDY.name if self.table is NOT_COUNTED else self.table.name


# Sums over the views count each irradiation once. What they leave out is in a view of its own.
NOT_COUNTED = replace(
    STUDY,
    name="study_not_counted",
    title="Studies that do not count",
    description="The studies that are not in `study`, with the reason in `not_counted`.",
    derived=(),
)


def _of_study(table: Table) -> View:
    counts = "study_id IN (SELECT id FROM study WHERE not_counted IS NULL)"
    if "counted_in" in table.names:
        return View(table, table.fields, f"counted_in IS NULL AND {counts}")
    # What the reports give as totals includes events that count in another study.
    whole = "study_id NOT IN (SELECT study_id FROM totals_as_reported)"
    return View(table, table.fields, f"{counts} AND {whole}")


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(STUDY, STUDY.fields, "not_counted IS NULL"),
        View(NOT_COUNTED, NOT_COUNTED.fields, "not_counted IS NOT NULL"),
        View(EQUIPMENT, EQUIPMENT.fields),
        *map(_of_study, (*STUDY_TABLES, ESTIMATE)),
        View(STUDY_STANDARD_NAME, STUDY_STANDARD_NAME.fields),
        View(OBJECT, tuple(field for field in OBJECT.fields if field.name in OBJECT_OUTCOMES)),
    )
}
