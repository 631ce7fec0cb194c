"""Reads elements of an image's header into a row, by the elements that the table's fields declare.

The first element of a field that has a usable value is used. Headers contain no units: each
declared element has the unit that the standard gives it. What no field takes is passed on as
unused, as with reports."""

from typing import Any, cast

from ..dicom import codes, concepts, dates, units
from ..dicom.codes import Code
from ..dicom.dataset import (
    BINARY_URI,
    Dataset,
    element_name,
    first,
    items,
    raw_bytes,
    spelled,
    text,
    values,
)
from ..dicom.decimals import parse_number
from ..dicom.sr import Item
from ..records import Field
from ..records.rows import CodeValue
from .rows import ByName, R, code_value, mark

# Numbers that are always above zero if they are measured at all: 0 means "not entered".
_NEVER_ZERO = frozenset({
    "kvp", "xray_tube_current", "exposure_time", "exposure", "dap", "average_glandular_dose", "half_value_layer",
    "compression_thickness", "distance_source_to_detector", "distance_source_to_patient", "entrance_dose",
    "distance_source_to_entrance", "grid_focal_distance",
    "relative_xray_exposure", "sensitivity", "focal_spot_size", "exposure_index", "target_exposure_index",
    "administered_activity", "radionuclide_half_life", "mean_ctdivol", "dlp",
})  # fmt: skip
# Words of headers (CS) for which the standard has a code.
_WORDS: dict[str, dict[str, Code]] = {
    "laterality": {"L": concepts.LEFT, "R": concepts.RIGHT, "B": concepts.BOTH},
    "anode_target_material": {
        "TUNGSTEN": concepts.TUNGSTEN,
        "MOLYBDENUM": concepts.MOLYBDENUM,
        "RHODIUM": concepts.RHODIUM,
    },
    "image_view": {"CC": concepts.CC, "MLO": concepts.MLO},
    "ct_acquisition_type": {
        "SPIRAL": concepts.SPIRAL,
        "SEQUENCED": concepts.SEQUENCED,
        "CONSTANT_ANGLE": concepts.CONSTANT_ANGLE,
        "STATIONARY": concepts.STATIONARY,
        "FREE": concepts.FREE,
    },
    "xray_grids": {
        "FIXED": codes.code("111641", "DCM"),
        "FOCUSED": codes.code("111642", "DCM"),
        "RECIPROCATING": codes.code("111643", "DCM"),
        "PARALLEL": codes.code("111644", "DCM"),
        "CROSSED": codes.code("111645", "DCM"),
        "NONE": codes.code("111646", "DCM"),
    },
}


def number(raw: str | None) -> float | None:
    """Convert a number as headers write it; return None if it is not usable: empty, text, not
    finite, beyond any measurement, or with a decimal comma, which would require a mark.
    """
    found, comma = parse_number(raw)
    return None if comma else found


class HeaderReader:
    """Reads rows from one data set; `taken` holds the top-level elements that a field took or
    looked at, `taken_within` those of items that were read as rows."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.taken: set[str] = set()
        self.taken_within: set[str] = set()

    def read_row(
        self,
        fields: tuple[Field, ...],
        of: type[R],
        within: Dataset | None = None,
        skip: frozenset[str] = frozenset(),
    ) -> R:
        """Read a row of these fields, from the data set or from an item within it. of: the type of
        such rows."""
        return cast("R", self._read(fields, within, skip))

    def _read(
        self, fields: tuple[Field, ...], within: Dataset | None, skip: frozenset[str]
    ) -> ByName:
        dataset = self.dataset if within is None else within
        row: ByName = {}
        for field in fields:
            if field.header and field.name not in skip:
                self._field(dataset, field, row, within is None)
        return row

    def _field(self, dataset: Dataset, field: Field, row: ByName, top: bool) -> None:
        problem: tuple[str, str] | None = None
        for path, unit in field.header:
            (self.taken if top else self.taken_within).add(path[0])
            for holder in _holders(dataset, path[:-1]):
                if field.type == "structs":
                    self._structs(holder, path[-1], field, row)
                    continue
                value, wrong = _value(holder, path[-1], field, unit)
                if value is not None and field.name not in row:
                    row[field.name] = value
                    if wrong is not None:
                        mark(row, field.name, *wrong)
                elif wrong is not None:
                    problem = problem or wrong
            if field.name in row:
                break
        if problem is not None and field.name not in row:
            mark(row, field.name, *problem)

    def _structs(self, holder: Dataset, tag: str, field: Field, row: ByName) -> None:
        for entry in items(holder, tag):
            part = self._read(field.fields, entry, frozenset())
            for found in part.pop("marks", ()):
                mark(row, f"{field.name}.{found['field']}", found["mark"], found["raw"])
            if part:
                row.setdefault(field.name, []).append(part)

    def unused(self, known: frozenset[str]) -> list[Item]:
        """Return what no field takes of the top level, element by element."""
        return unused_elements(self.dataset, known | self.taken)


# Groups that describe the file, the pixels and the display, and overlays.
_NOT_LISTED = frozenset({"0002", "0028", "0088", "2050", "5400", "6000", "7fe0"})


def unused_elements(dataset: Dataset, taken: frozenset[str] | set[str]) -> list[Item]:
    """Return what no field takes of a data set, except what describes pixels and display."""
    out: list[Item] = []
    for tag, value in dataset.items():
        if tag in taken or tag[:4] in _NOT_LISTED or not value:
            continue
        private = int(tag[3], 16) % 2 == 1
        if private and tag[5:7] == "00":
            continue  # the creator, which its elements name
        item = Item(
            "TEXT",
            None,
            f"({tag.upper()})",
            _creator(dataset, tag) if private else element_name(tag),
        )
        item.value = _value_as_text(value)
        out.append(item)
    return out


def _creator(dataset: Dataset, tag: str) -> str:
    name = (raw_bytes(dataset, f"{tag[:5]}00{tag[5:7]}") or b"").decode("latin-1").strip(" \0")
    return f"private, {name}" if name else "private"


def _value_as_text(value: str | list[Dataset]) -> str | None:
    if isinstance(value, list):
        named = text(value[0], "0008,0104") or text(value[0], "0008,0100")
        return (
            named
            if named and len(value) == 1
            else f"{len(value)} item{'s' if len(value) > 1 else ''}"
        )
    if not value.startswith(BINARY_URI):
        return value
    return spelled(value) or f"{(len(value) - len(BINARY_URI)) * 3 // 4} bytes"


def _holders(dataset: Dataset, path: tuple[str, ...]) -> list[Dataset]:
    found = [dataset]
    for tag in path:
        found = [item for holder in found for item in items(holder, tag)]
    return found


def _value(
    holder: Dataset, tag: str, field: Field, unit: str
) -> tuple[Any, tuple[str, str] | None]:
    """Return (value, what is wrong with it, as mark and text as written); either may be None."""
    if field.type == "number":
        return _number(holder, tag, field, unit)
    if field.type in ("code", "codes"):
        found = _codes(holder, tag, field.name)
        if not found:
            return None, None
        if field.type == "codes":
            return found, None
        if len({(one["scheme"], one["value"], one["meaning"]) for one in found}) > 1:
            return None, (
                "several_values",
                " | ".join(str(one["meaning"] or one["value"]) for one in found),
            )
        return found[0], None
    if field.type == "datetime":
        return _moment(holder, tag)
    if field.type == "uids":
        return values(holder, tag) or None, None
    found_text = text(holder, tag)
    return (None if found_text is None or found_text.startswith(BINARY_URI) else found_text), None


def _moment(holder: Dataset, tag: str) -> tuple[Any, tuple[str, str] | None]:
    raw = first(holder, tag)
    try:
        parsed = dates.parse_datetime(raw)
    except ValueError:
        return None, ("no_date", raw or "")
    wrong = ("time_without_dot", raw or "") if dates.lacks_dot(raw) else None
    return (parsed[0] if parsed else None), wrong


def _number(
    holder: Dataset, tag: str, field: Field, unit: str
) -> tuple[float | None, tuple[str, str] | None]:
    written = values(holder, tag)
    if not written:
        return None, None
    if len(set(written)) > 1:
        return None, ("several_values", " | ".join(written))
    found, comma = parse_number(written[0])
    if found is None:
        return None, ("no_number", written[0])
    if found == 0 and field.name in _NEVER_ZERO:
        return None, ("zero", written[0])
    if found < 0 and field.name in _NEVER_ZERO:
        return None, ("impossible", written[0])
    assert field.unit is not None
    times, over = units.conversion(unit, field.unit)
    wrong = ("decimal_comma", written[0]) if comma else None
    return units.scaled(found, times, over), wrong


def _codes(holder: Dataset, tag: str, name: str) -> list[CodeValue]:
    out = []
    for entry in items(holder, tag):
        value = text(entry, "0008,0100") or text(entry, "0008,0119") or text(entry, "0008,0120")
        if value or text(entry, "0008,0104"):
            out.append(
                code_value(
                    codes.code(
                        value or "", text(entry, "0008,0102") or "", text(entry, "0008,0104")
                    )
                )
            )
    for word in values(holder, tag) if not out else ():
        known = _WORDS.get(name, {})
        if word.startswith(BINARY_URI) or (
            known and name == "laterality" and word.upper() not in known
        ):
            continue  # U, unpaired: no side
        code = known.get(word.upper())
        out.append(code_value(code or Code("", "", word)))
    return out
