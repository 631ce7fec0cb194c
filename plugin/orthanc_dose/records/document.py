"""The data dictionary as a page of the documentation."""

from . import MARKS, MODALITIES, OUTCOMES, TABLES
from .field import Field


def markdown() -> str:
    """Return the text of docs/data-dictionary.md: tables, fields, marks, outcomes."""
    out = [
        "# Data dictionary",
        "",
        "Generated from `orthanc_dose.records` by `make docs`; the API returns the same "
        "information at `/dose/api/fields`.",
        "",
        "Numbers are stored in the unit given here. If pages show a different unit, it follows "
        "the arrow. A concept is",
        "the code by which the value is found within the container of the row; SNOMED-RT codes "
        "are treated as their SNOMED-CT",
        "equivalents. Coded values are structs of value, scheme and meaning. Studies, events and "
        "accumulated dose also name the",
        "object that they come from, and carry marks on values that are not simply what the "
        "object says.",
        "",
        "| Modality type | | Events | Accumulated dose | Totals of a study |",
        "|---|---|---|---|---|",
    ]
    for modality in MODALITIES.values():
        totals = ", ".join(f"`{name}`" for name in modality.totals)
        accumulated = f"`{modality.accumulated.name}`" if modality.accumulated else "none"
        out.append(
            f"| {modality.code} | {modality.title} | `{modality.events.name}` | {accumulated} | "
            f"{totals} |"
        )
    for table in TABLES:
        out += ["", f"## {table.title}: `{table.name}`", "", table.description, ""]
        out += [
            "| Field | Title | Type | Unit | Concept | Source and meaning |",
            "|---|---|---|---|---|---|",
        ]
        for field in (*table.fields, *table.derived):
            out += _rows(field, "")
    out += ["", "## Marks", "", "| Mark | Meaning |", "|---|---|"]
    out += [f"| `{name}` | {meaning} |" for name, meaning in MARKS.items()]
    out += ["", "## Outcomes of objects", "", "| Outcome | Meaning |", "|---|---|"]
    out += [f"| `{name}` | {meaning} |" for name, meaning in OUTCOMES.items()]
    return "\n".join(out) + "\n"


def _rows(field: Field, before: str) -> list[str]:
    unit = field.unit or ""
    if field.shown and (field.shown.unit, field.shown.factor) != (field.unit, 1.0):
        unit += f" → {field.shown.unit or 'none'}"
    concepts = ", ".join("/".join(path) for path in field.paths)
    words = ". ".join(part.rstrip(".") for part in (field.description, field.source) if part)
    only = f" ({', '.join(field.modalities)})" if field.modalities else ""
    name = f"`{before}{field.name}`"
    row = f"| {name} | {field.title}{only} | {field.type} | {unit} | {concepts} | {words} |"
    return [row, *(line for part in field.fields for line in _rows(part, f"{before}{field.name}."))]
