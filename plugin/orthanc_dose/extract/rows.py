"""Reads content items into a row of a table, by the paths that the table's fields declare.

The fields of a table are compiled once into a tree of concepts; reading walks the report and that
tree together. Each value is stored in its field in the field's unit, or left out with a mark that
says why, or passed on as unused."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast

from ..dicom import dates, units
from ..dicom.codes import Code
from ..dicom.decimals import parse_number
from ..dicom.sr import Item
from ..dicom.text import person_name
from ..records import Field
from ..records.rows import CodeValue, EventRow
from .pulses import form_values, pulse_rules
from .values import COMPARED, ByName, R, Written, by_name, mark, mark_once, step, value_of

__all__ = [
    "ByName", "Node", "R", "RowReader", "by_name", "code_value", "compile_fields", "in_time", "mark", "value_of",
]  # fmt: skip


_PERSON = "DCM:113870"  # Person Name, TID 1020 row 1


class Node:
    """The handling of a content item: the field that takes its value, and the items it may contain."""

    __slots__ = ("field", "children", "parts", "own", "pulses", "miscoded")

    def __init__(self) -> None:
        self.field: Field | None = None
        self.children: dict[str, Node] = {}
        self.parts: Node | None = None  # for structs: the tree of the struct's own fields
        self.own: Field | None = None  # for structs: the field that takes the item's own value
        # At the root: the rules of the fields that may occur once per pulse, by name.
        self.pulses: dict[str, str] = {}
        self.miscoded = False


def compile_fields(fields: tuple[Field, ...]) -> Node:
    """Return the tree of concepts for these fields. Raises ValueError if two claim one path."""
    root = Node()
    root.pulses = pulse_rules(fields)
    for field in fields:
        for path in (*field.paths, *field.miscoded):
            node = root
            for concept in path:
                node = node.children.setdefault(concept, Node())
            if node.field is not None:
                raise ValueError(
                    f"{node.field.name} and {field.name} claim the same content item {path}"
                )
            node.field = field
            node.miscoded = path in field.miscoded
            if field.type == "structs":
                node.parts = compile_fields(field.fields)
                node.own = next(
                    (part for part in field.fields if not part.paths and part.type != "structs"),
                    None,
                )
    return root


@lru_cache(maxsize=20_000)
def code_value(code: Code) -> CodeValue:
    """Return a code as a struct of the store, shared between equal codes: do not modify it."""
    return {"value": code.value or None, "scheme": code.scheme or None, "meaning": code.meaning}


def in_time(events: list[EventRow]) -> list[EventRow]:
    """Return the events in the order of their start, or unchanged if any has no start."""
    started = [start for row in events if (start := row.get("datetime_started"))]
    if len(started) < len(events):
        return events
    order = sorted(range(len(events)), key=started.__getitem__)
    return [events[at] for at in order]


class RowReader:
    """Reads rows of one report; `unused` collects what no field takes, `offset` the UTC offset."""

    def __init__(self) -> None:
        self.unused: list[Item] = []
        self.offset: timedelta | None = None

    def read_row(self, container: Item, tree: Node, of: type[R]) -> R:
        """Read one row from the content below a container. of: the type of the rows for which the
        tree was compiled."""
        row: ByName = {}
        self._children(container, tree, row)
        form_values(row, tree.pulses)
        return cast("R", row)

    def _children(self, item: Item, node: Node, row: ByName) -> None:
        known = node.children
        for child in item.children:
            below = known.get(child.concept) if child.concept else None
            if below is None:
                if not self._of_last_person(child, node, row):
                    self.leave(child)
                continue
            if below.field is not None:
                if below.miscoded:
                    mark_once(row, below.field.name, "wrong_code", child.concept)
                if below.parts is not None:
                    self._struct(child, below, row)
                    continue
                self._take(child, below.field, row)
            if child.children:
                self._children(child, below, row)

    def _of_last_person(self, item: Item, node: Node, row: ByName) -> bool:
        """Read an item of TID 1020 that stands beside its person instead of below it, as some
        equipment writes the role in a dose check; return whether it is one."""
        person = node.children.get(_PERSON)
        if person is None or person.field is None or person.parts is None:
            return False
        below, persons = person.parts.children.get(item.concept or ""), row.get(person.field.name)
        if below is None or below.field is None or not persons:
            return False
        part: ByName = {}
        self._take(item, below.field, part)
        for entry in part.pop("marks", ()):
            mark(row, f"{person.field.name}.{entry['field']}", entry["mark"], entry["raw"])
        for name, value in part.items():
            persons[-1].setdefault(name, value)
        return True

    def leave(self, item: Item) -> None:
        """Add content that no field takes to `unused`."""
        if item.vt != "CONTAINER":
            self.unused.append(item)
        for child in item.children:
            self.leave(child)

    def _struct(self, item: Item, node: Node, row: ByName) -> None:
        assert node.field is not None and node.parts is not None
        part: ByName = {}
        if node.own is not None:
            self._take(item, node.own, part)
        self._children(item, node.parts, part)
        for entry in part.pop("marks", ()):
            mark(row, f"{node.field.name}.{entry['field']}", entry["mark"], entry["raw"])
        row.setdefault(node.field.name, []).append(part)

    def _take(self, item: Item, field: Field, row: ByName) -> None:
        if item.value is None and item.vt != "CONTAINER":
            mark(row, field.name, "empty", item.qualifier.meaning if item.qualifier else None)
            return
        _TAKE[field.type](self, item, field, row)

    def _number(self, item: Item, field: Field, row: ByName) -> None:
        raw = item.value if isinstance(item.value, str) else None
        if raw is not None and "\\" in raw and (field.per_pulse or field.type == "numbers"):
            self._several(item, raw, field, row)
            return
        number, comma = parse_number(raw, item.sign)
        if number is None:
            mark(row, field.name, "no_number", raw)
            return
        factor = _factor(item, raw, field, row)
        if factor is None:
            return
        if comma:
            mark_once(row, field.name, "decimal_comma", raw)
        number = units.scaled(number, *factor)
        if field.type == "numbers":
            row.setdefault(field.name, []).append(number)
        elif field.per_pulse:
            row.setdefault(f"{field.name}_values", []).append(number)
        elif field.name in COMPARED and raw is not None:
            _set(row, field.name, Written(number, step(raw) * factor[0] / factor[1]))
        else:
            _set(row, field.name, number)

    def _several(self, item: Item, raw: str, field: Field, row: ByName) -> None:
        """Take the numbers of one Numeric Value (DS, 1-n). Components that are empty or blank are
        left out; one that is not a number makes all unusable, since it could be any of them."""
        parts = [part for part in raw.split("\\") if part.strip(" \0\t\r\n")]
        found = [parse_number(part, item.sign) for part in parts]
        numbers = [number for number, _ in found if number is not None]
        if len(numbers) < len(found) or not numbers:
            mark(row, field.name, "no_number" if found else "empty", raw)
            return
        factor = _factor(item, raw, field, row)
        if factor is None:
            return
        if any(comma for _, comma in found):
            mark_once(row, field.name, "decimal_comma", raw)
        name = f"{field.name}_values" if field.per_pulse else field.name
        row.setdefault(name, []).extend(units.scaled(number, *factor) for number in numbers)
        if len(numbers) <= raw.count("\\"):
            mark(row, field.name, "empty", raw)

    def _text(self, item: Item, field: Field, row: ByName) -> None:
        value = item.value
        if isinstance(value, Code):
            text: str | None = value.meaning or value.key
        else:
            text = person_name(value) if item.vt == "PNAME" else value
        if field.name == "comment" and row.get("comment"):
            row["comment"] += f"\n{text}"
        else:
            _set(row, field.name, text)

    def _code(self, item: Item, field: Field, row: ByName) -> None:
        _set(row, field.name, _as_code(item))

    def _codes(self, item: Item, field: Field, row: ByName) -> None:
        row.setdefault(field.name, []).append(_as_code(item))

    def _uids(self, item: Item, field: Field, row: ByName) -> None:
        if isinstance(item.value, str):
            row.setdefault(field.name, []).append(item.value)

    def _moment(self, item: Item, field: Field, row: ByName) -> None:
        raw = item.value if isinstance(item.value, str) else None
        try:
            parsed: tuple[datetime, timedelta | None] | None = dates.parse_datetime(raw)
        except ValueError:
            mark(row, field.name, "no_date", raw)
            return
        if parsed is not None:
            if parsed[1] is not None and self.offset is None:
                self.offset = parsed[1]
            if dates.lacks_dot(raw):
                mark(row, field.name, "time_without_dot", raw)
            _set(row, field.name, parsed[0])


def _as_code(item: Item) -> CodeValue:
    if isinstance(item.value, Code):
        return code_value(item.value)
    return {"value": None, "scheme": None, "meaning": str(item.value)}


def _set(row: ByName, name: str, value: object) -> None:
    """Put a value into its field; a second, different value empties the field, marked with both."""
    if name not in row:
        row[name] = value
    elif row[name] != value:
        before = row[name]
        if before is not None:
            mark(row, name, "several_values", f"{_words(before)} | {_words(value)}")
        row[name] = None


def _words(value: object) -> object:
    return value.get("meaning") or value.get("value") if isinstance(value, dict) else value


def _factor(item: Item, raw: str | None, field: Field, row: ByName) -> tuple[float, float] | None:
    """Return by what a number of the item is multiplied and divided to be in the field's unit; None,
    with a mark, if its unit is missing or not usable."""
    assert field.unit is not None
    if item.unit is None:
        mark(row, field.name, "no_unit", raw)
        return None
    try:
        factor = units.conversion(item.unit, field.unit)
    except units.UnknownUnit:
        mark(row, field.name, "unit_unknown", f"{raw} {item.unit}")
        return None
    if doubt := units.doubt(item.unit, item.unit_scheme):
        mark_once(row, field.name, doubt, f"{raw} {item.unit}")
    return factor


_TAKE: dict[str, Callable[[RowReader, Item, Field, ByName], None]] = {
    "number": RowReader._number,
    "numbers": RowReader._number,
    "text": RowReader._text,
    "uid": RowReader._text,
    "code": RowReader._code,
    "codes": RowReader._codes,
    "uids": RowReader._uids,
    "datetime": RowReader._moment,
}
