"""Reports with very many irradiation events: read item by item, with the same result as in one piece
and in bounded memory; beyond the limits, refused with the reason.
"""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose import extract, samples
from orthanc_dose.dicom import long_objects, long_sequence, part10, sr
from orthanc_dose.dicom.dataset import Unreadable, first
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.dicom.long_sequence import CONTENT, LongSequence
from orthanc_dose.extract import kept as kept_module
from orthanc_dose.ingest.reading import Read, RowRead, read_instance
from tests.fuzz.damage import mutants
from tests.fuzz.seeds import files, seeds
from tests.support.effort import LONG, SEED

pytestmark = pytest.mark.tries_more
MUTANTS = 6_000 if LONG else 300
RULES = IdentityRules("hashed", "stored", "none", "hashed", b"a secret of the tests")
Given = pytest.MonkeyPatch


def read(raw: bytes, sop_class: str | None = None) -> Read:
    row: RowRead = {
        "handle": "h",
        "sop_class_uid": sop_class or samples_class(raw),
        "size": len(raw),
        "sop_instance_uid": None,
    }
    return read_instance(row, lambda: raw, identity=RULES)


def samples_class(raw: bytes) -> str:
    """The SOP class of an object, or that of dose reports where it does not say a readable one."""
    found = part10.announced_class(raw)
    return found if found in extract.EXTRACTORS else long_sequence_class()


def long_sequence_class() -> str:
    return "1.2.840.10008.5.1.4.1.1.88.67"


def result(one: Read) -> dict[str, Any]:
    """What was read of an object, without the time of reading."""
    row: dict[str, Any] = dict(one.row)
    row.pop("processed_at", None)
    found = one.extract
    return {
        "row": {name: value for name, value in row.items() if name != "content"},
        "content": zlib.decompress(row["content"]) if row.get("content") else None,
        "extract": found
        and {
            "study": found.study,
            "equipment": found.equipment,
            "accumulated": found.accumulated,
            "events": found.events,
            "unused": [item.as_dict() for item in found.unused],
            "made_at": found.made_at,
            "refers_to": found.refers_to,
            "subject": found.subject,
            "modality": found.modality,
            "source": found.source,
        },
    }


@pytest.fixture
def read_as_long(monkeypatch: Given) -> Callable[..., Read]:
    """Reads an object as if it were long, whatever its size."""

    def reading(raw: bytes, *given: Any) -> Read:
        with monkeypatch.context() as patched:
            patched.setattr(long_objects, "LONG", 0)
            patched.setattr(kept_module, "LONG", 1)
            one = read(raw, *given)
            if one.row.get("content"):
                again = extract.unpack(one.row["content"] or b"")
                has_content = part10.read_any(raw).dataset.get(CONTENT) is not None
                assert isinstance(again.dataset.get(CONTENT), LongSequence) == has_content
                assert again.pack()[1] == one.row["content_digest"]
                if one.extract is not None:
                    from_kept = extract.extract_object(again, one.row["sop_class_uid"] or "")
                    assert from_kept.events == one.extract.events
                    assert from_kept.study == one.extract.study
        return one

    return reading


def test_every_object_reads_the_same_item_by_item(read_as_long: Callable[..., Read]) -> None:
    objects = seeds() | files()
    assert len(objects) > 60
    for name, raw in objects.items():
        whole, long = result(read(raw)), result(read_as_long(raw))
        assert long == whole, name


def test_damaged_objects_end_the_same_way(read_as_long: Callable[..., Read]) -> None:
    ends = set()
    for number, mutant in islice(mutants(SEED), MUTANTS):
        whole, long = read(mutant.raw), read_as_long(mutant.raw)
        ends.add(whole.row.get("outcome"))
        assert result(long) == result(whole), f"mutant {number}: {mutant}"
    assert ends == {None, "failed", "ignored"}


def test_a_decimal_comma_anywhere_counts_for_the_whole_report(
    read_as_long: Callable[..., Read],
) -> None:
    """ "1,234" is a number only if other numbers of the report have a comma (dicom/decimals.py)."""
    raw = samples.part10(samples.ct_report(3))
    number = b"7.1 "
    assert number in raw
    with_comma = raw.replace(number, b"7,1 ")
    whole = read(with_comma).extract
    long = read_as_long(with_comma).extract
    assert whole is not None and long is not None
    assert [row.get("dlp") for row in long.events] == [row.get("dlp") for row in whole.events]
    assert long.study["marks"] == whole.study["marks"]


def test_identity_leaves_every_item(read_as_long: Callable[..., Read]) -> None:
    patient = samples.Patient(name="Planted^Name", patient_id="PLANTED-77")
    report = samples.ct_report(40, patient=patient, comment="Planted Name was PLANTED-77 here")
    one = read_as_long(samples.part10(report))
    assert one.extract is not None and len(one.extract.events) == 40
    content = zlib.decompress(one.row["content"] or b"")
    assert b"Planted" not in content
    whole = zlib.decompress(read(samples.part10(report)).row["content"] or b"")
    assert content == whole


def test_reports_beyond_the_limits_are_refused_with_the_reason(monkeypatch: Given) -> None:
    raw = samples.part10(samples.ct_report(30))
    monkeypatch.setattr(long_objects, "LONG", 1)
    for limit, place, said in (
        ("MOST_ITEMS", long_objects, "more than 20 content items below its root"),
        ("MOST_OF_ITEM", long_objects, "a content item below its root has more than"),
        ("MOST_BYTES", long_sequence, "more than the limit of"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(place, limit, 20)
            one = read(raw)
        assert (one.row["outcome"], one.row["rule"]) == ("failed", "too_large")
        assert said in (one.row["reason"] or "")
        assert one.extract is None and one.row["content"] is None
    enhanced = samples.part10(samples.enhanced_report())
    with monkeypatch.context() as patched:
        patched.setattr(sr, "MOST_AS_A_WHOLE", 20)
        one = read(enhanced)
    assert one.row["rule"] == "too_large"
    assert "more than 20 content items" in (one.row["reason"] or "")


def test_damaged_kept_content_is_said_not_guessed(monkeypatch: Given) -> None:
    monkeypatch.setattr(long_objects, "LONG", 1)
    monkeypatch.setattr(kept_module, "LONG", 1)
    packed = read(samples.part10(samples.ct_report(30))).row["content"] or b""
    for damaged in (packed[:-20], packed[: len(packed) // 2], packed[:3], b""):
        with pytest.raises((zlib.error, ValueError)):
            list(extract.unpack(damaged).dataset[CONTENT] or [])


IN_A_PROCESS = """
import gc, mmap, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from orthanc_dose import samples
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import first
from orthanc_dose.ingest import assembly
from orthanc_dose.ingest.reading import read_instance
from orthanc_dose.store import Store, Writer

gc.set_threshold(100_000, 20, 20)  # as app.py does

def megabytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024

def take(writer, raw, handle):
    of = first(part10.beginning(raw), "0008,0018")
    row = {"handle": handle, "sop_instance_uid": of, "size": len(raw), "change": 1, "attempts": 1,
           "sop_class_uid": "1.2.840.10008.5.1.4.1.1.88.67", "series_handle": "s"}
    one = read_instance(row, lambda: raw)
    batch = assembly.batch(writer, [one], {})
    batch.is_spent = True
    writer.commit(batch)

with TemporaryDirectory() as folder:
    store = Store(Path(folder))
    writer = Writer(store)
    for number in range(6):
        make = samples.fluoroscopy_report if number % 2 else samples.ct_report
        take(writer, samples.part10(make(6, seed=100 + number)), f"usual {number}")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    idle = megabytes("VmRSS")
    with open(sys.argv[1], "rb") as file:
        raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        take(writer, raw, "large")
    with store.reading() as connection:
        [[events]] = connection.execute(f"SELECT max(number_of_events) FROM study").fetchall()
    print(events, megabytes("VmHWM") - idle)
"""
MAKERS: dict[str, Callable[[int], Any]] = {
    "ct": samples.ct_report,
    "rf": samples.fluoroscopy_report,
}


def memory(kind: str, events: int, folder: Path) -> tuple[int, int]:
    """The events of a report that were stored, and the memory in MB above idle that it took."""
    path = folder / f"{kind}.dcm"
    path.write_bytes(samples.part10(MAKERS[kind](events)))
    command = [sys.executable, "-c", IN_A_PROCESS, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    stored, used = done.stdout.split()
    return int(stored), int(used)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_very_large_report_takes_little_memory(kind: str, tmp_path: Path) -> None:
    """From the bytes to the commit: 20,000 events of CT in less than 300 MB. Of the 350 MB of those of
    fluoroscopy, whose file alone has 186 MB, 250 are DuckDB's for the transaction. The short run
    takes a quarter of the events."""
    most = {"ct": (300, 120), "rf": (350, 170)}[kind]
    events, allowed = (20_000, most[0]) if LONG else (5_000, most[1])
    stored, used = memory(kind, events, tmp_path)
    assert stored == events
    assert used < allowed, f"{used} MB"


def test_the_sequence_can_only_be_gone_over() -> None:
    sequence = LongSequence(lambda: iter([{"0040,a040": "NUM"}, {"0040,a040": "TEXT"}]))
    assert len(sequence) == 2 and bool(sequence)
    sequence.change(lambda item: None if item["0040,a040"] == "NUM" else item)
    assert [first(item, "0040,a040") for item in sequence] == ["TEXT"]
    with pytest.raises(TypeError):
        sequence[0]
    assert issubclass(long_sequence.TooLarge, Unreadable)
