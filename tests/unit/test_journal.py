"""What the log says of objects, and the file of the log on a full disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose.ingest.journal import Journal
from orthanc_dose.ingest.reading import Read
from orthanc_dose.manage.log import Log
from orthanc_dose.manage.settings import Settings
from orthanc_dose.store import Store

CT_IMAGE, REPORT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.67"
NOON = datetime(2026, 1, 1, 12)


@dataclass(frozen=True)
class Origin:
    way: str
    aet: str = ""
    called: str = ""
    address: str = ""


SCANNER = Origin("DicomProtocol", "SCANNER", "DOSE", "10.0.0.7")


class Written:
    """A journal whose time the test tells, and the lines that it wrote."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 0.0
        self.journal = Journal(lambda: self.now)
        self._caplog = caplog

    @property
    def lines(self) -> list[str]:
        found = [record.getMessage() for record in self._caplog.records]
        self._caplog.clear()
        return found

    def write(self, origin: Origin | None, *rows: dict[str, Any]) -> None:
        self.journal.written([Read(row, None, origin) for row in rows], rows)


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[Written]:
    package = logging.getLogger("orthanc_dose")
    propagated, package.propagate = package.propagate, True
    with caplog.at_level(logging.INFO, "orthanc_dose"):
        yield Written(caplog)
    package.propagate = propagated


def row(number: int, outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "handle": f"h{number}",
        "sop_class_uid": REPORT,
        "sop_instance_uid": "1.2.3.4711",
        "study_instance_uid": "1.2.3.4712",
        "series_handle": "s1",
        "received_at": NOON + timedelta(seconds=number),
        "outcome": outcome,
        "rule": None,
        "reason": None,
    } | more


def test_each_object_with_dose_has_a_line_and_those_without_one_for_their_series(
    written: Written,
) -> None:
    written.write(
        None,
        row(1, "imported", study_id=7),
        row(2, "duplicate", study_id=7, rule="same_events", reason="Not in the line."),
        row(3, "failed", rule="unreadable", reason="It ends too early."),
        *(row(n, "ignored", rule="sop_class", sop_class_uid=CT_IMAGE) for n in range(4, 9)),
        row(9, "ignored", rule="sop_class", sop_class_uid="1.2.3", series_handle=None),
    )
    assert written.lines == [
        "object h1 of study 7 (X-Ray Radiation Dose SR): imported",
        "object h2 of study 7 (X-Ray Radiation Dose SR): duplicate (same_events)",
        "object h3 (X-Ray Radiation Dose SR): failed (unreadable): It ends too early.",
        "5 objects of series s1 (CT Image): ignored (sop_class)",
        "1 object of series ? (unknown SOP class): ignored (sop_class)",
    ]
    logging.getLogger("orthanc_dose").setLevel(logging.DEBUG)
    written.write(None, *(row(n, "ignored", rule="sop_class") for n in range(3)))
    assert len(written.lines) == 3, "at level debug each has its own"
    logging.getLogger("orthanc_dose").setLevel(logging.WARNING)
    written.write(SCANNER, row(1, "imported"))
    written.journal.step(at_once=True)
    assert written.lines == []


def test_what_comes_from_a_sender_without_a_pause_is_one_line(written: Written) -> None:
    upload = Origin("RestApi", address="10.0.0.9")
    written.write(SCANNER, row(0, "imported"), row(2, "ignored"))
    written.write(upload, row(5, "failed", reason="Why."))
    written.now = 4.0
    written.write(SCANNER, row(9, "ignored"))
    written.write(None, row(30, "imported"))  # read again: nobody sent it
    assert len(written.lines) == 5
    written.now = 5.0
    written.journal.step()
    assert written.lines == ["received by HTTP from 10.0.0.9: 1 object in 0 s: 1 failed"]
    written.now = 9.0
    written.journal.step()
    assert written.lines == [
        "received by DICOM from SCANNER at 10.0.0.7 to DOSE: 3 objects in 9 s: 2 ignored, 1 "
        "imported"
    ]
    written.write(SCANNER, row(0, "imported"))
    written.write(Origin("Elsewhere"), row(0, "imported", received_at=None))
    _ = written.lines
    written.journal.step()
    assert written.lines == []
    written.journal.step(at_once=True)
    assert written.lines == [
        "received by DICOM from SCANNER at 10.0.0.7 to DOSE: 1 object in 0 s: 1 imported",
        "received in another way: 1 object in 0 s: 1 imported",
    ]


def test_a_full_disk_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    log = Log(lambda level, line: told.append(line))
    store = Store(tmp_path)
    settings = Settings(store, {})
    logger = logging.getLogger("orthanc_dose.test")
    try:
        log.follow(settings, Path("/dev/full"))  # each write to it fails: no space left
        for number in range(3):
            logger.info("line %d", number)
        assert told == ["the log file cannot be written: No space left on device"]
        messages = [entry.message for entry in log.newest("debug", "", 100)]
        assert messages[:2] == ["line 2", "line 1"], "memory has them"
        assert log.file is None
        settings.set("log_files_kept", 3)
        settings.set("log_to_file", False)
    finally:
        log.close()
        store.close()
