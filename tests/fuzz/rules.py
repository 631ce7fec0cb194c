"""The rules that no input may break, on the way from bytes to the store."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import isclose, isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa

from orthanc_dose import extract
from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.codes import canonical
from orthanc_dose.dicom.dataset import Dataset, Unreadable
from orthanc_dose.dicom.dataset import first as first_value
from orthanc_dose.dicom.sop_classes import XRAY_DOSE_SR
from orthanc_dose.extract import Extract, Ignored, Kept
from orthanc_dose.query import studies
from orthanc_dose.records import EQUIPMENT, MARKS, MODALITIES, OBJECT, STUDY, TOTALS, Field, Table
from orthanc_dose.rest.answers import plain
from orthanc_dose.store import Batch, Store, Writer, sharing
from orthanc_dose.store.schema import arrow_schema
from tests.support.independent import UNITS

from .damage import Mutant
from .tree import CONTENT, NAME, Tree, first, items, whole

EVENTS = frozenset(("DCM:113819", "DCM:113706", "DCM:113502"))
ACCUMULATED = frozenset(("DCM:113811", "DCM:113702"))
# The containers of an Enhanced X-Ray Radiation Dose SR, whose details stand outside of the events.
ENHANCED_EVENTS, ENHANCED_ACCUMULATED, DETAILS = (
    frozenset(("DCM:130501",)),
    frozenset(("DCM:130500",)),
    "DCM:130505",
)
PLANES = frozenset(("DCM:113620", "DCM:113621", "DCM:113622", "DCM:113890"))
# Calls of functions that reading may take: by element, and at all. Measured: 11 by element at most.
CALLS_BY_ELEMENT, CALLS_AT_ALL = 40, 5_000
# Units that no report has, and that a reader may still understand.
_MORE_UNITS = {**UNITS, "km": ("length", "1e3"), "dGy.dm2": ("dose area", "1e-3")}
_DECIMAL_STRING = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

Numbers = dict[str, list[tuple[Decimal, str]]]


@dataclass
class Result:
    """What became of an object that was read."""

    sop_instance_uid: str
    kept: Kept
    extract: Extract
    records: list[Record]
    row: dict[str, Any]


# What the store adds to a study that shares irradiations with others.
OF_SHARING = {"marks", "all_marks", "not_counted", "shared_with", "counted_in"}


class Rules:
    """Follows objects from bytes to rows, and commits them to a real store now and then. Raises
    AssertionError.
    """

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.writer = Writer(self.store)
        self._number = 0
        self._waiting: list[Result] = []

    def follow(self, raw: bytes, count_calls: bool = False) -> Result:
        """Read an object as the worker does. Raises Unreadable and Ignored, which are answers;
        anything else is a fault.
        """
        read = part10.read_any(raw)
        elements = sum(1 for _ in walk(read.dataset))
        if read.transfer_syntax != part10.DEFLATED:
            # An element takes 8 bytes at least: more of them would be made out of nothing.
            assert elements <= len(raw) / 8, f"{elements} elements of {len(raw)} bytes"
        calls = _Calls() if count_calls else None
        try:
            with calls or _NoCalls():
                kept = extract.keep(read)
                found = self._extract(kept)
        finally:
            if calls is not None:
                assert calls.count <= CALLS_BY_ELEMENT * elements + CALLS_AT_ALL, (
                    f"{calls.count} calls for {elements} elements"
                )
        packed, digest = kept.pack()
        again = extract.unpack(packed)
        assert again == kept, "what is kept differs from what comes back"
        assert again.pack()[1] == digest
        self._number += 1
        sop = f"2.25.{self._number}"
        for row in (found.study, found.equipment, *found.events, *found.accumulated):
            _plain_values(row)
        assert len(found.events) + len(found.accumulated) + len(found.unused) <= elements
        records = put_together([Part(sop, found)])
        # What refers to reports makes no record of its own.
        expected = [] if found.modality is None else ["imported"]
        assert [record.outcomes[sop].outcome for record in records] == expected
        for record in records:
            _record_in_order(record, elements, len(raw))
        row = {
            "handle": sop,
            "sop_instance_uid": sop,
            "sop_class_uid": _sop_class(kept),
            "outcome": "imported",
            "received_at": datetime.now(UTC).replace(tzinfo=None),
            "size": len(raw),
            "content": packed,
            "content_digest": digest,
            "study_instance_uid": found.study["study_instance_uid"],
        }
        pa.Table.from_pylist([row], schema=arrow_schema(OBJECT))
        return Result(sop, kept, found, records, row)

    def _extract(self, kept: Kept) -> Extract:
        return extract.extract_object(kept, _sop_class(kept))

    def keep_for_commit(self, result: Result) -> None:
        self._waiting.append(result)

    def forget(self) -> None:
        """Leave out what waits for a commit: one of it breaks rules."""
        self._waiting.clear()

    def commit(self) -> int:
        """Write what waits as the worker does, by study, read all of it back, and compare; the
        number of studies.
        """
        waiting, self._waiting = self._waiting, []
        parts: dict[str, list[Part]] = {}
        for result in waiting:
            of_study = parts.setdefault(result.extract.study["study_instance_uid"], [])
            of_study.append(Part(result.sop_instance_uid, result.extract))
        batch = Batch(
            [result.row for result in waiting],
            {uid: put_together(found) for uid, found in parts.items()},
        )
        self.writer.commit(batch)
        records = [record for found in batch.studies.values() for record in found]
        with self.store.reading() as connection:
            for record in records:
                stored = studies.study(connection, record.study["id"])
                assert stored is not None
                modality = MODALITIES[record.modality]
                # Damaged objects under different Study Instance UIDs share their irradiations.
                others = {field.name for field in TOTALS} | OF_SHARING
                shared = (
                    others if stored["all_marks"] and sharing.shares(stored["all_marks"]) else set()
                )
                _same_rows(stored, record.study, STUDY, shared)
                for name, table in (
                    ("events", modality.events),
                    ("accumulated", modality.accumulated),
                ):
                    made = getattr(record, name)
                    assert len(stored[name]) == len(made), name
                    for there, row in (
                        zip(stored[name], made, strict=True) if name == "events" else ()
                    ):
                        _same_rows(there, row, table, shared)
                json.dumps(stored, default=plain, allow_nan=False).encode()
                json.dumps(
                    studies.kept_content(connection, record.study["id"]), allow_nan=False
                ).encode()
        return len(records)

    def hold_against(self, result: Result, tree: Tree) -> None:
        """Hold the rows against what the object says, read from its tree by other code: every
        number in a row stands in the container that the row was read from, under the field's
        concept, in a unit of the field's dimension, and it equals that number in that unit; every
        code in a row is a code of the object."""
        if result.extract.source != "report":
            return  # images: their own tests hold every number against the element
        codes = {_code_key(item) for item in whole(tree)} - {None}
        codes |= {_of_dicom(key) for key in codes}
        containers = [(_concept(item), item) for item in items(tree, CONTENT)]
        found = result.extract
        modality = MODALITIES.get(found.modality or "")
        everywhere: Numbers | None = None
        events, accumulated = EVENTS, ACCUMULATED
        if any(
            concept in (*ENHANCED_EVENTS, *ENHANCED_ACCUMULATED, DETAILS)
            for concept, _ in containers
        ):
            events, accumulated, codes = ENHANCED_EVENTS, ENHANCED_ACCUMULATED, codes | PLANES
            everywhere = _numbers_below(tree)
            for concept in (
                "DCM:113758",
                "DCM:113773",
            ):  # the one thickness of an attenuator, minimum and maximum
                everywhere.setdefault(concept, []).extend(everywhere.get("DCM:130509", ()))
        for rows, of, table in (
            (found.events, events, modality and modality.events),
            (found.accumulated, accumulated, modality and modality.accumulated),
        ):
            read_from = [item for concept, item in containers if concept in of] if table else []
            assert len(rows) == len(read_from), (
                f"{len(rows)} rows of {len(read_from)} containers ({found.modality})"
            )
            for row, item in zip(rows, read_from, strict=True):
                _check_row(row, table.fields, everywhere or _numbers_below(item), codes, None)  # type: ignore[union-attr]
        _check_row(
            found.study,
            tuple(f for f in STUDY.fields if f.paths),
            _numbers_below(tree),
            codes,
            None,
        )


def _sop_class(kept: Kept) -> str:
    """The class that Orthanc would name; a report's where damage made it one that is not read."""
    named = first_value(kept.dataset, "0008,0016") or ""
    return named if extract.can_hold_dose(named) else XRAY_DOSE_SR


def walk(dataset: Dataset, depth: int = 0) -> Iterator[tuple[int, str, object]]:
    """Every element of a data set with its depth, in order, items of sequences included."""
    for tag, value in dataset.items():
        yield depth, tag, value
        if isinstance(value, list):
            for item in value:
                yield from walk(item, depth + 1)


def try_one(rules: Rules, number: int, one: Mutant) -> str:
    """Hold one object against the rules: "read", "unreadable" or "ignored". Whatever else comes of
    it is raised.
    """
    try:
        result = rules.follow(one.raw, count_calls=number % 20 == 0)
    except Unreadable as error:
        assert str(error)
        return "unreadable"
    except Ignored as error:
        assert error.rule and error.reason
        return "ignored"
    if one.tree is not None:
        rules.hold_against(result, one.tree)
    rules.keep_for_commit(result)
    return "read"


class _Calls:
    """Counts the calls of functions within it: a measure of work that does not depend on the
    machine.
    """

    count = 0

    def __enter__(self) -> None:
        sys.setprofile(self._called)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, frame: object, event: str, argument: object) -> None:
        if event == "call":
            self.count += 1


class _NoCalls:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def _record_in_order(record: Record, elements: int, size: int) -> None:
    for row in (record.study, *record.events, *record.accumulated):
        _plain_values(row)
        for entry in row.get("marks") or ():
            assert entry["mark"] in MARKS and entry["field"], entry
            # Nothing is cut, and two texts of the object are the most that one mark holds.
            assert len(entry["raw"] or "") <= 2 * size
    marks = sum(
        len(row.get("marks") or ()) for row in (record.study, *record.events, *record.accumulated)
    )
    assert marks <= elements + 100, f"{marks} marks"
    assert record.study["number_of_events"] == len(record.events)
    modality = MODALITIES[record.modality]
    for rows, table in (
        ([record.study], STUDY),
        ([record.equipment], EQUIPMENT),
        (record.events, modality.events),
        (record.accumulated, modality.accumulated),
    ):
        if table is None:
            assert not rows
            continue
        assert {name for row in rows for name in row} <= {*table.names, "id", "display_name"}, (
            table.name
        )
        pa.Table.from_pylist(rows, schema=arrow_schema(table))


def _plain_values(value: Any) -> None:
    """Numbers are finite, text can be written as UTF-8."""
    if isinstance(value, float):
        assert isfinite(value), f"{value} is no number"
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            _plain_values(part)


def _same_rows(stored: Any, made: Any, table: Table, but: set[str]) -> None:
    for name in (
        name for name in table.names if name in stored and name not in but
    ):  # a study has the columns of its modality type
        assert _same(stored[name], made.get(name)), (
            f"{table.name}.{name}: {made.get(name)!r} stored as {stored[name]!r}"
        )


def _same(stored: Any, made: Any) -> bool:
    if isinstance(stored, dict) and isinstance(made, dict):
        return all(_same(value, made.get(name)) for name, value in stored.items())
    if isinstance(stored, list) and isinstance(made, list):
        return len(stored) == len(made) and all(map(_same, stored, made))
    if isinstance(stored, str) and isinstance(made, datetime):  # when the row was written, UTC
        return stored == made.isoformat(timespec="seconds") + "Z"
    return stored == made


# --- what the object says, from its tree ---


def _code_key(item: Tree) -> str | None:
    value = next(
        (text for tag in ("00080100", "00080119", "00080120") if (text := first(item, tag))), b""
    )
    if not value:
        return None
    return canonical(value.decode("latin-1"), first(item, "00080102").decode("latin-1"))


def _of_dicom(key: str | None) -> str | None:
    """Return the key of a code that lost its scheme and has a number as DICOM's codes have."""
    lost = key is not None and re.fullmatch(r":1(09|[1-3]\d)\d{3}", key) is not None
    return canonical(key[1:], "DCM") if key and lost else key


def _concept(item: Tree) -> str | None:
    name = items(item, NAME)
    return _of_dicom(_code_key(name[0])) if name else None


def _numbers_below(item: Tree) -> Numbers:
    """Every number below an item, by its concept, with the unit as written."""
    found: Numbers = {}
    for child in items(item, CONTENT):
        measured = items(child, "0040a300")
        if first(child, "0040a040") in (b"NUM", b"") and measured:
            text = first(measured[0], "0040a30a").decode("latin-1")
            units = items(measured[0], "004008ea")
            # The unit counts under any coding scheme, since it must measure what the field holds.
            if units and _DECIMAL_STRING.fullmatch(text):
                unit = first(units[0], "00080100").decode("latin-1")
                found.setdefault(_concept(child) or "", []).append((Decimal(text), unit))
        for concept, numbers in _numbers_below(child).items():
            found.setdefault(concept, []).extend(numbers)
    return found


# Marks of values that their container does not hold: worked out, held over from the event before,
# another item's, or converted because it is impossible as written.
NOT_READ = frozenset({"computed", "carried", "private_item", "unit_slip"})


def _check_row(
    row: dict[str, Any],
    fields: tuple[Field, ...],
    said: Numbers,
    codes: set[str | None],
    own: Field | None,
    of_struct: frozenset[str] = frozenset(),
) -> None:
    """of_struct: the fields of this struct that its row marks with one of NOT_READ."""
    not_read = of_struct | {
        entry["field"] for entry in row.get("marks") or () if entry["mark"] in NOT_READ
    }
    for one in fields:
        value = row.get(one.name)
        if value is None or one.name in not_read:
            continue
        concepts = {path[-1] for path in (one.paths or (own.paths if own else ()))}
        if one.type == "structs":
            for part in value:
                inner = (name.partition(".") for name in not_read)
                parts = frozenset(below for name, _, below in inner if name == one.name)
                _check_row(part, one.fields, said, codes, one, parts)
        elif one.type == "code" and concepts:
            assert value["value"] is None or f"{value['scheme'] or ''}:{value['value']}" in codes, (
                f"{one.name}: {value}"
            )
        elif one.type == "number" and concepts:
            for number in row.get(f"{one.name}_values") or [value]:
                _check_number(
                    one, number, [pair for concept in concepts for pair in said.get(concept, ())]
                )


def _check_number(field: Field, number: float, said: list[tuple[Decimal, str]]) -> None:
    dimension, size = UNITS[field.unit or ""]
    for written, unit in said:
        annotation = re.fullmatch(r"\{.*\}", unit)  # without dimension by itself (UCUM §6)
        measures, times = _MORE_UNITS.get(unit, ("number" if annotation else "", "1"))
        expected = float(written * Decimal(times) / Decimal(size))
        if measures == dimension and isclose(number, expected, rel_tol=1e-13, abs_tol=1e-300):
            return
    words = ", ".join(f"{written} {unit}" for written, unit in said[:5])
    raise AssertionError(
        f"{field.name} = {number} {field.unit}, but the object says: {words or 'nothing'}"[:300]
    )
