"""Examinations that were split on the console: studies that share irradiations, and what counts.

Expected values follow from what is written into the reports, and from the rule: an irradiation
counts in the study that began first, then in the one with the lowest Study Instance UID.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from orthanc_dose.samples import Study, System, ct_report, uid, vendor
from orthanc_dose.samples import values as v
from orthanc_dose.samples.ct import CtEvent, default_events
from orthanc_dose.samples.nuclear import FDG_GIVEN, radiopharmaceutical_report
from orthanc_dose.samples.projection_reports import fluoroscopy_events, fluoroscopy_report

STARTED = datetime(2025, 3, 14, 9, 0, 0)


@dataclass(frozen=True)
class Part:
    """One study of a split examination.

    events: numbers of its events; counts: those that count here; after: minutes from the beginning
    of the first study to that of this one; moved: minutes by which its events start later."""

    events: Sequence[int]
    counts: Sequence[int]
    after: int = 0
    moved: float = 0
    name: str = ""


# By what is split: the studies, in the order of their Study Instance UIDs.
SPLITS: dict[str, list[Part]] = {
    "all events": [Part(range(4), range(4)), Part(range(4), [], after=30)],
    "the later has the lower UID": [Part(range(4), [], after=30), Part(range(4), range(4))],
    "one beginning": [Part(range(4), range(4)), Part(range(4), [])],
    "a part": [Part(range(4), range(4)), Part([2, 3, 4], [4], after=30)],
    "three studies": [
        Part([0, 1], [0, 1]),
        Part([1, 2], [2], after=10),
        Part([0, 1, 2, 3], [3], after=20),
    ],
    "another day": [Part(range(3), range(3)), Part(range(3), range(3), after=1440, moved=1440)],
    "ten minutes later": [Part([1], [1]), Part([1], [1], after=10, moved=10)],
    "four minutes later": [Part([1], [1]), Part([1], [], after=4, moved=4)],
    "at three times": [
        Part([1], [1]),
        Part([1], [1], after=4, moved=4),
        Part([1], [1], after=60, moved=60),
    ],
}


def study_uid(split: str, number: int) -> str:
    """Return the UID of study `number` of a split; they are in the order of the numbers."""
    return f"2.25.1{number}{uid('split', split)[-20:]}"


def events(split: str) -> list[CtEvent]:
    return default_events(6, 5, STARTED, f"split|{split}")


def ct(split: str) -> list[Dataset]:
    """Return the report of each study."""
    out = []
    for number, part in enumerate(SPLITS[split]):
        moved = timedelta(minutes=part.moved)
        every = [replace(one, started=one.started + moved) for one in events(split)]
        out.append(
            ct_report([every[index] for index in part.events], study=_study(split, number, part),
                      key=f"split|{split}|{number}")
        )  # fmt: skip
    return out


def _study(split: str, number: int, part: Part) -> Study:
    return Study(
        instance_uid=study_uid(split, number),
        started=STARTED + timedelta(minutes=part.after),
        description=f"CT part {number + 1}",
        accession_number=f"SPLIT{number}",
    )


def rf(parts: Sequence[Part] = (Part([0, 1, 2], [0, 1, 2]), Part([2, 3], [3], after=5))) -> list[Dataset]:  # fmt: skip
    """Return the reports of a split examination in two planes."""
    made = fluoroscopy_events(
        4, 5, STARTED, "split|rf", vendor("siemens-xa"), planes=(v.PLANE_A, v.PLANE_B)
    )
    return [
        fluoroscopy_report([made[index] for index in part.events], vendor="siemens-xa",
                           study=_study("rf", number, part), key=f"split|rf|{number}")
        for number, part in enumerate(parts)
    ]  # fmt: skip


def nm() -> list[Dataset]:
    """Return two reports of one administration."""
    given = replace(FDG_GIVEN, given=replace(FDG_GIVEN.given, event_uid=uid("split", "nm")))
    system = System(department="Nuclear medicine", station="NM1")
    return [
        radiopharmaceutical_report([given], study=_study("nm", number, part), system=system,
                                   key=f"split|nm|{number}")
        for number, part in enumerate((Part([0], [0]), Part([0], [], after=15)))
    ]  # fmt: skip
