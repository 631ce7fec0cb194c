"""The views that SQL reads: the dose record as described by the data dictionary, without internals
of the program.
"""

from dataclasses import dataclass

from ..records import (
    EQUIPMENT,
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

    fields: its columns, for callers who may know who patients are.
    """

    table: Table
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        return self.table.name

    def columns(self, identity: bool) -> tuple[Field, ...]:
        """Return the columns for a caller. identity: whether the caller may know who patients are."""
        return tuple(field for field in self.fields if identity or not self.tells_identity(field))

    def tells_identity(self, field: Field) -> bool:
        """Return whether a column of this view identifies the patient."""
        return self.table is STUDY and field.name in IDENTITY_FIELDS


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        *(View(table, table.fields) for table in (STUDY, EQUIPMENT, *STUDY_TABLES)),
        View(STUDY_STANDARD_NAME, STUDY_STANDARD_NAME.fields),
        View(OBJECT, tuple(field for field in OBJECT.fields if field.name in OBJECT_OUTCOMES)),
    )
}
