"""Damaged dose reports: a fixed number of them in each run of the suite, and each fault that a
longer run found.

The same objects every time; `python -m tests.fuzz --minutes 10 --seed 3` tries others.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from orthanc_dose import samples
from orthanc_dose.assemble import totals
from tests.fuzz.damage import mutant
from tests.fuzz.rules import Result, Rules, try_one
from tests.fuzz.seeds import trees
from tests.fuzz.tree import (
    CONTENT,
    NAME,
    Tree,
    decode,
    element,
    encode,
    first,
    items,
    sequences,
    whole,
)

OBJECTS, SEED = 400, 20
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path)


@pytest.mark.parametrize("part", range(4))
def test_damaged_objects_are_read_or_refused(rules: Rules, part: int) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(part * OBJECTS // 4 + 1, (part + 1) * OBJECTS // 4 + 1):
        one = mutant(SEED, number)
        try:
            outcomes[try_one(rules, number, one)] += 1
        except Exception as error:
            raise AssertionError(
                f"python -m tests.fuzz --seed {SEED} --only {number} ({one})"
            ) from error
    assert rules.commit() > 20
    assert outcomes["read"] > 20 and outcomes["unreadable"] > 10, outcomes


def test_objects_are_the_same_every_time() -> None:
    assert [mutant(4, number).raw for number in range(1, 20)] == [
        mutant(4, number).raw for number in range(1, 20)
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: samples.ct_report(2),
        lambda: samples.fluoroscopy_report(2, biplane=True),
        lambda: samples.mammography_report(2),
    ],
)
@pytest.mark.parametrize("undefined", [False, True])
def test_tree_says_what_pydicom_reads(make: Callable[[], pydicom.Dataset], undefined: bool) -> None:
    """The tree that the rules are held against, and its writer."""
    tree = decode(samples.part10(make()))
    again = pydicom.dcmread(BytesIO(encode(tree, undefined)))
    said = [
        (
            item.ConceptNameCodeSequence[0].CodeValue,
            str(item.MeasuredValueSequence[0].NumericValue),
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue,
        )
        for item in again.iterall()
        if item.tag == 0x0040A730
        for item in item.value
        if item.ValueType == "NUM" and item.MeasuredValueSequence
    ]
    assert said and sorted(said) == sorted(_numbers(tree))


def _numbers(tree: Tree) -> list[tuple[str, str, str]]:
    return [
        tuple(
            text.decode()
            for text in (
                first(items(item, NAME)[0], "00080100"),
                first(measured, "0040a30a"),
                first(items(measured, "004008ea")[0], "00080100"),
            )
        )
        for content in sequences(tree, CONTENT)
        for item in content
        for measured in items(item, "0040a300")
    ]  # type: ignore[misc]


# --- faults that were found ---


def _with(
    rules: Rules, seed: str, concept: bytes, number: bytes | None = None, unit: bytes | None = None
) -> Result:
    """A seed with the number or the unit of every item of a concept changed, read, held against the
    rules, committed.
    """
    tree = [element(one) for one in trees()[seed]]
    for item in whole(tree):
        if items(item, NAME) and first(items(item, NAME)[0], "00080100") == concept:
            for measured in items(item, "0040a300"):
                for one in measured:
                    if one.tag == "0040a30a" and number is not None:
                        one.value = number
                for code in items(measured, "004008ea"):
                    for one in code:
                        if one.tag == "00080100" and unit is not None:
                            one.value = unit
    result = rules.follow(encode(tree))
    rules.hold_against(result, tree)
    rules.keep_for_commit(result)
    rules.commit()
    return result


@pytest.mark.parametrize(
    ("seed", "concept", "field"),
    [
        ("ct standard", b"113838", "dlp"),
        ("rf biplane", b"122130", "dap"),
        ("rf pulse-level", b"113733", "kvp"),
    ],
)
def test_numbers_beyond_all_measure_are_marked(
    rules: Rules, seed: str, concept: bytes, field: str
) -> None:
    """Their sum ended in OverflowError, their mean in infinity, which JSON cannot carry."""
    result = _with(rules, seed, concept, b"1.7e308")
    for row in result.extract.events:
        assert row.get(field) is None
    marks = [
        entry
        for row in result.extract.events
        for entry in row.get("marks", ())
        if entry["field"] == field
    ]
    assert marks and all(
        (entry["mark"], entry["raw"]) == ("no_number", "1.7e308") for entry in marks
    )


def test_large_number_in_a_larger_unit_is_marked(rules: Rules) -> None:
    """1e308 km were infinitely many millimetres."""
    result = _with(rules, "ct standard", b"113825", b"1e308", b"km")
    assert all(row.get("scanning_length") is None for row in result.extract.events)


def test_numbers_at_the_limit_add_up(rules: Rules) -> None:
    assert totals.written_sum([1e100] * 1000) == 1e103
    result = _with(rules, "ct standard", b"113838", b"1e100")
    events = [row for row in result.extract.events if "dlp" in row]
    assert events and all(row["dlp"] is None for row in events)
    assert all("1e+100 mGy.cm" in (one["raw"] for one in row["marks"]) for row in events)


@pytest.mark.parametrize(
    ("unit", "millimetres"),
    [(b"cm", 10.0), (b"mm", 1.0), (b"mGy", None), (b"", None)],
)
def test_unit_decides_what_a_number_means(
    rules: Rules, unit: bytes, millimetres: float | None
) -> None:
    result = _with(rules, "ct standard", b"113825", b"20", unit)
    expected = None if millimetres is None else 20 * millimetres
    assert [row.get("scanning_length") for row in result.extract.events] == [expected] * len(
        result.extract.events
    )


def test_a_scan_of_20_metres_is_impossible(rules: Rules) -> None:
    result = _with(rules, "ct standard", b"113825", b"20", b"m")
    for row in result.extract.events:
        assert row["scanning_length"] is None
        assert {"field": "scanning_length", "mark": "impossible", "raw": "20000 mm"} in row["marks"]


def test_reader_of_other_encodings_keeps_values_out_of_the_log() -> None:
    """pydicom's warnings quote what stands in the object, and what a plugin prints is in Orthanc's
    log.
    """
    raw = samples.part10(samples.ct_report(1)).replace(
        b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\xae1\0"
    )
    program = (
        "import sys\nfrom orthanc_dose.dicom import part10\n"
        "try: part10.read_any(sys.stdin.buffer.read())\nexcept part10.Unreadable: pass"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], input=raw, capture_output=True, check=True
    )
    assert ran.stderr == b""
