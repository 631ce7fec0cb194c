"""Fields of the dose record: the single declaration of each, from which schema, reading, JSON,
titles and documentation follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .limits import OF_UNITS, WHEN, Limits

# Types of fields, each with its DuckDB type. A code is kept with value, scheme and meaning.
CODE_TYPE = "STRUCT(value VARCHAR, scheme VARCHAR, meaning VARCHAR)"
SQL_TYPES = {
    "number": "DOUBLE",
    "numbers": "DOUBLE[]",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
    "text": "VARCHAR",
    "texts": "VARCHAR[]",
    "uid": "VARCHAR",
    "uids": "VARCHAR[]",
    "code": CODE_TYPE,
    "codes": f"{CODE_TYPE}[]",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMP",
    "bytes": "BLOB",
}


@dataclass(frozen=True)
class Shown:
    """The usual unit of a number for people: the stored value times `factor` is in this unit."""

    unit: str
    factor: float = 1.0


# How the value of an event is formed from those of its pulses or projections, in words that follow
# "the value of the event is" (extract/pulses.py).
PULSE_RULES = {
    "mean": "the mean of those that are not zero",
    "weighted_mean": "the mean of those that are not zero, weighted with the width of each pulse if "
    "the event gives one for each of them",
    "sum": "their sum",
}


class Pulses(NamedTuple):
    """How the value of an event is formed from those of its pulses: a key of PULSE_RULES, and why,
    in words that follow "since"."""

    rule: str
    why: str


@dataclass(frozen=True)
class Field:
    """One field of a table, or of a struct within one.

    name: column and JSON name. type: a key of SQL_TYPES, or "structs" for a list of structs with
    `fields`. unit: UCUM code of the stored value; None if it has no unit. shown: how pages and
    exports print it. paths: concepts from the record's container down to the content item; several
    paths where the standard moved it. per_pulse: for a number that may occur several times, once
    per pulse or projection, how the value of the event is formed from them; a second field,
    `<name>_values`, holds all of them. header: where images carry it; the first element that
    has a value is used: the element within sequences as ("0054,0016", "0018,1074"), and for numbers
    the unit of the element, since headers do not write units. source: where the standard defines
    it. modalities: the modality types for which it can have a value; empty means all. always: every
    row of the store has a value. limits: what the value can be; unlimited: why a number or date has
    no limits. miscoded: paths like those of `paths` with a wrong code, under which some equipment
    writes the item; what is read there is marked."""

    name: str
    type: str
    title: str
    description: str = ""
    unit: str | None = None
    shown: Shown | None = None
    paths: tuple[tuple[str, ...], ...] = ()
    per_pulse: Pulses | None = None
    header: tuple[tuple[tuple[str, ...], str], ...] = ()
    source: str = ""
    fields: "tuple[Field, ...]" = ()
    modalities: tuple[str, ...] = ()
    always: bool = False
    limits: Limits | None = None
    unlimited: str = ""
    miscoded: tuple[tuple[str, ...], ...] = ()

    @property
    def sql_type(self) -> str:
        if self.type == "structs":
            return (
                f"STRUCT({', '.join(f'{field.name} {field.sql_type}' for field in self.fields)})[]"
            )
        return SQL_TYPES[self.type]

    def as_dict(self) -> dict[str, object]:
        """Return the field as the data dictionary of the API shows it."""
        out: dict[str, object] = {
            "name": self.name,
            "type": self.type,
            "title": self.title,
            "unit": self.unit,
        }
        out["shown_unit"] = self.shown.unit if self.shown else self.unit
        out["shown_factor"] = self.shown.factor if self.shown else 1.0
        out["description"] = self.description
        out["concepts"] = ["/".join(path) for path in self.paths]
        out["source"] = self.source
        out["header"] = [
            f"({') ('.join(path)}){f' [{unit}]' if unit else ''}" for path, unit in self.header
        ]
        out["modalities"] = list(self.modalities)
        out["limits"] = self.limits and self.limits.as_dict()
        out["fields"] = [field.as_dict() for field in self.fields]
        return out


@dataclass(frozen=True)
class Table:
    """A table of the store; `description` says what one row is. derived: fields that are not
    columns but are derived from other fields or tables when a row is read."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    derived: tuple[Field, ...] = ()

    def field(self, name: str) -> Field:
        """Return the field of this name. Raises StopIteration if there is none."""
        return next(field for field in (*self.fields, *self.derived) if field.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


# Units that pages print differently from UCUM, with the factor from the stored value.
_SHOWN = {
    "Gy.m2": Shown("cGy·cm²", 1e6),
    "mGy.cm": Shown("mGy·cm"),
    "uA.s": Shown("mA·s", 1e-3),  # as physicists state it; stored as the standard has it
    "deg": Shown("°"),
    "{pulse}/s": Shown("pulses/s"),
    "m2": Shown("cm²", 1e4),
    "mGy/mA.s": Shown("mGy/(mA·s)"),
    "mSv/mGy.cm": Shown("mSv/(mGy·cm)"),
    "1": Shown(""),
    "a": Shown("years"),
    "cm3": Shown("cm³"),
}
_DOSE_AT_REFERENCE_POINT = Shown("mGy", 1e3)


def _paths(path: str) -> tuple[tuple[str, ...], ...]:
    # "A/B|C": the item B within A, or C. A bare number is a code of DICOM's own scheme.
    def key(part: str) -> str:
        return part if ":" in part else f"DCM:{part}"

    return (
        tuple(tuple(key(part) for part in one.split("/")) for one in path.split("|"))
        if path
        else ()
    )


def _header(elements: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    # "0018,9332 mA.s|0018,1153 uA.s"; sequences precede the element, as in "0054,0016/0018,1074
    # Bq".
    return tuple(
        (tuple(path.split("/")), unit)
        for path, _, unit in (one.partition(" ") for one in elements.split("|") if one)
    )


def num(
    name: str,
    title: str,
    unit: str,
    path: str = "",
    source: str = "",
    description: str = "",
    header: str = "",
    limits: Limits | None = None,
    unlimited: str = "",
    **more: Any,
) -> Field:
    """Return a number field with a unit (NUM). limits: by default those of its unit, if the unit
    says which quantity it is."""
    shown = _DOSE_AT_REFERENCE_POINT if unit == "Gy" else _SHOWN.get(unit)
    return Field(
        name,
        "number",
        title,
        description,
        unit,
        shown,
        _paths(path),
        source=source,
        header=_header(header),
        limits=None if unlimited else limits or OF_UNITS.get(unit),
        unlimited=unlimited,
        **more,
    )


def numbers(
    name: str,
    title: str,
    unit: str,
    path: str,
    source: str,
    description: str = "",
    **more: Any,
) -> Field:
    """Return a field of several numbers with a unit: a NUM that occurs several times."""
    return Field(
        name,
        "numbers",
        title,
        description,
        unit,
        _SHOWN.get(unit),
        _paths(path),
        source=source,
        **more,
    )


# What fields without a unit can be, or why they have no limits.
_BY_TYPE: dict[str, dict[str, Any]] = {
    "date": {"limits": WHEN},
    "datetime": {"limits": WHEN},
    "time": {"unlimited": "reading it accepts only a time of day (PS3.5 section 6.2)"},
    "integer": {"unlimited": "assigned or counted by this program"},
}


def of_type(kind: str) -> Callable[..., Field]:
    """Return a function that makes fields of one type without a unit, from name, title, path,
    source and description."""

    def make(
        name: str,
        title: str,
        path: str = "",
        source: str = "",
        description: str = "",
        header: str = "",
        **more: Any,
    ) -> Field:
        return Field(
            name,
            kind,
            title,
            description,
            paths=_paths(path),
            source=source,
            header=_header(header),
            **(_BY_TYPE.get(kind, {}) | more),
        )

    return make


code, codes, text, texts = of_type("code"), of_type("codes"), of_type("text"), of_type("texts")
uid, uids, moment, integer = (
    of_type("uid"),
    of_type("uids"),
    of_type("datetime"),
    of_type("integer"),
)
day, clock, blob, flag = of_type("date"), of_type("time"), of_type("bytes"), of_type("flag")


def structs(
    name: str,
    title: str,
    path: str,
    source: str,
    description: str,
    *fields: Field,
    header: str = "",
    **more: Any,
) -> Field:
    """Return a list of structs: a content item that may occur several times, with its content.
    `header`: the sequence in images to which the headers of its fields are relative."""
    return Field(
        name,
        "structs",
        title,
        description,
        paths=_paths(path),
        source=source,
        fields=fields,
        header=_header(header),
        **more,
    )


def with_pulse_values(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields and, after each that may occur once per pulse, the list of its values, which
    says how the value of the event is formed from them."""
    out: list[Field] = []
    for field in fields:
        out.append(field)
        if field.per_pulse is not None:
            out.append(
                Field(
                    f"{field.name}_values",
                    "numbers",
                    f"{field.title}, each value",
                    f"All values of {field.title}, if the event has several, one for each pulse or "
                    f"projection. The value of the event is {PULSE_RULES[field.per_pulse.rule]}, "
                    f"since {field.per_pulse.why}.",
                    field.unit,
                    field.shown,
                    source=field.source,
                    limits=field.limits,
                )
            )
    return tuple(out)
