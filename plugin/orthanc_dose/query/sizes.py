"""The mark of heights and weights that came from imported files.

Lists of marks are slow to change in a million records, so the mark is derived here from the plain
columns that say where the values come from.
"""

from ..extract.rows import value_of
from ..records.rows import Mark, StudyRow

MARK = "from_size_import"
FROM = {"patient_size_from": "patient_size", "patient_weight_from": "patient_weight"}
IS_MARKED = "(s.patient_size_from IS NOT NULL OR s.patient_weight_from IS NOT NULL)"
# The marks of a study `s`, including this one, in SQL.
MARKS = f"""list_concat(coalesce(s.marks, []), list_filter([{
    ", ".join(
        f"{{'field': CASE WHEN s.{column} IS NOT NULL THEN '{field}' END, 'mark': '{MARK}', 'raw': CAST(NULL AS VARCHAR)}}"
        for column, field in FROM.items()
    )
}], lambda one: one.field IS NOT NULL))"""


def mark_imported_sizes(row: StudyRow) -> None:
    """Add the mark to a record that has the columns of FROM."""
    fields = [field for column, field in FROM.items() if value_of(row, column)]
    if fields:
        added: list[Mark] = [{"field": field, "mark": MARK, "raw": None} for field in fields]
        row["marks"] = [*(row["marks"] or ()), *added]
        if "all_marks" in row:
            row["all_marks"] = sorted({*(row["all_marks"] or ()), MARK})
