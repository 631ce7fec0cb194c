"""The first sheet of the workbook of a list: what it is, its doses, and how often and with which dose
each description and protocol occurs.

Doses that are missing or zero do not count in means and medians, as in charts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..records import MODALITIES, STUDY, Field
from .columns import origin, scaled, titled
from .selection import Selection
from .xlsx_file import text_cell

BLANK = "(blank)"
WIDTHS = (34, 20, *(14,) * 3, 4, 34, *(14,) * 4, 4, 34, *(14,) * 5)
_MOST_ROWS = 10_000
_BOLD = 1

# By modality type: the study's doses, the leading one first, and that of the event.
_DOSES = {
    "CT": (("dlp_total", "ctdivol_max"), "dlp"),
    "RF": (
        (
            "dap_total",
            "dose_rp_total",
            "total_fluoro_time",
            "fluoro_dap_total",
            "acquisition_dap_total",
        ),
        "dap",
    ),
    "DX": (("dap_total", "dose_rp_total"), "dap"),
    "MG": (("agd_left", "agd_right", "agd_unspecified"), "average_glandular_dose"),
    "NM": (("administered_activity_total", "effective_dose_total"), "administered_activity"),
}
_STATISTICS = {"mean": "avg", "median": "median", "maximum": "max"}

Cell = str | int | float | date | None


@dataclass(frozen=True)
class _Frequencies:
    """A table of names. rows: a query of name, study and dose; dose: the field of the dose, if any."""

    title: str
    rows: str
    dose: Field | None
    of_events: str = ""

    @property
    def titles(self) -> list[str]:
        dose = [f"{titled(self.dose)}, {word}" for word in _STATISTICS] if self.dose else []
        return [self.title, "Studies", *([self.of_events] if self.of_events else []), *dose]

    def read(self, chosen: Selection) -> list[tuple[Any, ...]]:
        events = ", count(*)" if self.of_events else ""
        dose = f", {_statistics(self.dose, 'dose')}" if self.dose else ""
        return chosen.connection.execute(f"""
            SELECT name, count(DISTINCT study){events}{dose} FROM ({self.rows}) GROUP BY name
            ORDER BY count(DISTINCT study) DESC, lower(name), name LIMIT {_MOST_ROWS}
        """).fetchall()


def rows_of(chosen: Selection) -> Iterator[list[str]]:
    """Yield the rows of the sheet as XML of their cells, in portions."""
    yield [_row(name, value) for name, value in _about(chosen)] + [""]
    yield [_titles("Dose", "Studies with a value", *_STATISTICS)]
    yield [_row(*row) for row in _doses(chosen)] + [""]
    tables = list(_tables(chosen))
    found = [table.read(chosen) for table in tables]
    yield ["<c/>".join(_titles(*table.titles) for table in tables)]
    for at in range(max(map(len, found))):
        yield [
            "<c/>".join(
                _row(rows[at][0] or BLANK, *rows[at][1:])
                if at < len(rows)
                else "<c/>" * len(table.titles)
                for table, rows in zip(tables, found, strict=True)
            )
        ]


def _about(chosen: Selection) -> Iterator[tuple[str, Cell]]:
    first, last, events = chosen.connection.execute("""
        SELECT min(study_date), max(study_date), sum(number_of_events) FROM hit JOIN study s USING
        (id)
    """).fetchone() or (None, None, None)
    modality = MODALITIES[chosen.modality].title if chosen.modality else "All modalities"
    yield "Modality type", modality
    yield "Studies", chosen.total
    yield "Irradiation events", int(events or 0)
    yield "First study", first
    yield "Last study", last
    yield from origin().values()


def _doses(chosen: Selection) -> Iterator[tuple[Cell, ...]]:
    """Yield title, number of studies and statistics of each of the studies' doses that has a value."""
    names = {
        name: None
        for modality, (of_study, _) in _DOSES.items()
        if chosen.modality in (None, modality)
        for name in of_study
    }
    for field in map(STUDY.field, names):
        at = f's."{field.name}"'
        found = chosen.connection.execute(f"""
            SELECT count(nullif({at}, 0)), {_statistics(field, at)} FROM hit JOIN study s USING (id)
        """).fetchone()
        if found and found[0]:
            yield titled(field), *found


def _tables(chosen: Selection) -> Iterator[_Frequencies]:
    of_modality = MODALITIES[chosen.modality] if chosen.modality else None
    names, of_event = _DOSES[of_modality.code] if of_modality else ((), "")
    # Breasts have totals of their own: neither is the dose of the study.
    dose = STUDY.field(names[0]) if of_modality and of_modality.code != "MG" else None
    value = f's."{dose.name}"' if dose else "NULL"
    for name in ("study_description", "requested_procedure_description"):
        rows = f"SELECT s.{name} AS name, s.id AS study, {value} AS dose FROM hit JOIN study s USING (id)"
        yield _Frequencies(STUDY.field(name).title, rows, dose)
    if of_modality is None:
        rows = "SELECT unnest(s.acquisition_protocols) AS name, s.id AS study FROM hit JOIN study s USING (id)"
        yield _Frequencies("Acquisition protocol", rows, None)
        return
    rows = f"""
        SELECT t.{protocol(of_modality.code)} AS name, t.study_id AS study, t."{of_event}" AS dose
        FROM "{of_modality.events.name}" t SEMI JOIN hit ON hit.id = t.study_id
    """
    is_nuclear = of_modality.code == "NM"
    yield _Frequencies(
        "Radiopharmaceutical" if is_nuclear else "Acquisition protocol",
        rows,
        of_modality.events.field(of_event),
        "Administrations" if is_nuclear else "Irradiation events",
    )


def protocol(modality: str) -> str:
    """Return what names an event of a modality type, as SQL below the event's row."""
    return "radiopharmaceutical_agent.meaning" if modality == "NM" else "acquisition_protocol"


def _statistics(field: Field, at: str) -> str:
    return ", ".join(
        scaled(field, f"{function}(nullif({at}, 0))") for function in _STATISTICS.values()
    )


def _row(*values: Cell) -> str:
    return "".join(map(text_cell, values))


def _titles(*titles: str) -> str:
    return "".join(text_cell(title, _BOLD) for title in titles)
