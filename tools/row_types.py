"""Write plugin/orthanc_dose/records/rows.py: the types of the tables' rows, from the declarations
of the tables, so that each field is declared once.

`make docs` runs it; a test checks that the file is up to date.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from orthanc_dose.records import INDEXES, MODALITIES, TABLES, TASK, Field
from orthanc_dose.records.common import marks
from orthanc_dose.records.task import JSON

FILE = Path(__file__).parents[1] / "plugin" / "orthanc_dose" / "records" / "rows.py"
_TYPES = {
    "number": "float",
    "numbers": "list[float]",
    "integer": "int",
    "flag": "bool",
    "text": "str",
    "texts": "list[str]",
    "uid": "str",
    "uids": "list[str]",
    "code": "CodeValue",
    "codes": "list[CodeValue]",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
    "bytes": "bytes",
}
_HEAD = '''"""The types of the tables' rows, and of the structs in them: made by tools/row_types.py from the
declarations of the tables (make docs), not to be edited.

A row may lack fields, as those that an object does not give, and a field may be None."""

from datetime import date, datetime, time
from typing import Any, TypedDict


class CodeValue(TypedDict):
    """A coded value as a field holds it."""

    value: str | None
    scheme: str | None
    meaning: str | None
'''


def text() -> str:
    """Return the file's text, formatted as ruff does."""
    events = [modality.events for modality in MODALITIES.values()]
    accumulated = [one.accumulated for one in MODALITIES.values() if one.accumulated is not None]
    tables = [table for table in TABLES if table not in INDEXES]
    fields = [field for table in tables for field in (*table.fields, *table.derived)]
    out = [_HEAD]
    out += [
        _class(_struct_name(one), f"An entry of {name}.", one.fields)
        for name, one in _structs(fields).items()
    ]
    out += [_class("Marked", "A row with marks.", [marks()])]
    out += [
        _class(
            f"{_camel(table.name)}Row", f"A row of {table.name}.", (*table.fields, *table.derived)
        )
        for table in tables
    ]
    out += [
        _class(
            "Task",
            "A row of task whose JSON is read.",
            TASK.fields,
            dict.fromkeys(JSON, "dict[str, Any]"),
        ),
        _class(
            "EventRow",
            "An event of any modality type: a row of one of these tables.",
            _together(field for table in events for field in table.fields),
        ),
        _class(
            "AccumulatedRow",
            "Accumulated dose of any modality type: a row of one of these tables.",
            _together(field for table in accumulated for field in table.fields),
        ),
    ]
    return "\n\n".join(out)


def _structs(fields: Iterable[Field]) -> dict[str, Field]:
    """Return the fields of structs by name, nested ones before those that contain them.

    Raises ValueError if two with the same name differ: they would need separate types.
    """
    found: dict[str, Field] = {}
    for field in fields:
        if field.type == "structs":
            found |= _structs(field.fields)
            if field.name in found and _shape(found[field.name]) != _shape(field):
                raise ValueError(f"{field.name} has different fields in two tables")
            found.setdefault(field.name, field)
    return found


def _together(fields: Iterable[Field]) -> Iterator[Field]:
    """Yield each field once. Raises ValueError if two with the same name differ."""
    found: dict[str, Field] = {}
    for field in fields:
        if _shape(found.setdefault(field.name, field)) != _shape(field):
            raise ValueError(f"{field.name} has different types in two tables")
    yield from found.values()


def _shape(field: Field) -> object:
    return field.type, field.always, tuple((one.name, _shape(one)) for one in field.fields)


def _class(
    name: str, says: str, fields: Iterable[Field], types: Mapping[str, str] | None = None
) -> str:
    """Return the text of a class. types: of fields whose type differs from the table's."""
    other = types or {}
    lines = "".join(
        f"    {field.name}: {other.get(field.name) or _type(field)}\n" for field in fields
    )
    return f'class {name}(TypedDict, total=False):\n    """{says}"""\n\n{lines}'


def _type(field: Field) -> str:
    of = f"list[{_struct_name(field)}]" if field.type == "structs" else _TYPES[field.type]
    return of if field.always else f"{of} | None"


def _struct_name(field: Field) -> str:
    return _camel(field.name.removesuffix("s"))


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
