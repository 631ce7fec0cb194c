"""The data dictionary as a page of the documentation."""

from collections.abc import Iterator
from datetime import date

from . import MARKS, MODALITIES, OUTCOMES, PATIENT_SIZE, STUDY, STUDY_TABLES, TABLES
from .field import Field
from .limits import Limits


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
    out += _limits()
    out += ["", "## Outcomes of objects", "", "| Outcome | Meaning |", "|---|---|"]
    out += [f"| `{name}` | {meaning} |" for name, meaning in OUTCOMES.items()]
    return "\n".join(out) + "\n"


def _limits() -> list[str]:
    """Return the section on limits: a row for each quantity and modality type, with its fields."""
    fields: dict[Limits, list[str]] = {}
    unlimited: dict[str, list[str]] = {}
    for table in (STUDY, *STUDY_TABLES, PATIENT_SIZE):
        for name, field in _with_parts(table.fields, f"{table.name}."):
            if field.limits is not None:
                fields.setdefault(field.limits, []).append(f"`{name}`")
            elif field.unlimited:
                unlimited.setdefault(field.unlimited, []).append(f"`{name}`")
    out = [
        "",
        "## Limits",
        "",
        "Values outside the possible ones leave their field, with the mark `impossible`; those "
        "outside the plausible ones",
        "are marked `implausible`. If a value is impossible, and exactly one of the units that are "
        "often confused makes it",
        "plausible, it is converted and marked `unit_slip`. 0 is always plausible. Limits are in "
        "the unit of the fields.",
        "",
        "| Possible | Why | Plausible | Why | Units often confused | Fields |",
        "|---|---|---|---|---|---|",
    ]
    for limits, names in fields.items():
        out.append(_limits_row(limits, ", ".join(names)))
        out += [_limits_row(other, f"the same, {code}") for code, other in limits.instead]
    out += ["", "Numbers, dates and times without limits:", ""]
    out += [f"- {why}: {', '.join(names)}" for why, names in unlimited.items()]
    return out


def _limits_row(limits: Limits, fields: str) -> str:
    possible, plausible = (
        " to ".join(
            bound.isoformat() if isinstance(bound, date) else f"{bound:g}" for bound in pair
        )
        for pair in (limits.hard, limits.soft)
    )
    slips = ", ".join(slip.written for slip in limits.slips)
    return (
        f"| {possible} | {limits.why_hard} | {plausible} | {limits.why_soft} | {slips} | {fields} |"
    )


def _with_parts(fields: tuple[Field, ...], before: str) -> Iterator[tuple[str, Field]]:
    for field in fields:
        yield before + field.name, field
        yield from _with_parts(field.fields, f"{before}{field.name}.")


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
