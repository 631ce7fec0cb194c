"""Studies with several reports that share irradiation events, as sent by systems that report while
a study is in progress.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from orthanc_dose.samples import Study, ct_report, fluoroscopy_report, uid, vendor
from orthanc_dose.samples import values as v
from orthanc_dose.samples.ct import CtEvent, default_events
from orthanc_dose.samples.document import put
from orthanc_dose.samples.projection import ProjectionEvent
from orthanc_dose.samples.projection_reports import fluoroscopy_events

STARTED = datetime(2025, 3, 14, 9, 0, 0)
EVENTS = 6
# By what the reports have in common: for each report, in the order in which they were made, the
# numbers of its events.
PATTERNS: dict[str, list[list[int]]] = {
    "cumulative": [[0, 1], [0, 1, 2], [0, 1, 2, 3, 4, 5]],
    "continued": [[0, 1], [2], [3, 4, 5]],
    "duplicate": [[0, 1, 2], [0, 1, 2], [0, 1, 2]],
    "overlapping": [[0, 1, 2], [2, 3], [3, 4, 5]],
    "partial": [[0, 1, 2, 3], [1, 2], [3]],
    "mixed": [[0, 1], [0, 1, 2], [4]],
}


def study_uid(name: str) -> str:
    return uid("several", name)


def ct_events(name: str) -> list[CtEvent]:
    """Return the events of a study; studies of different names differ only in their UIDs."""
    return default_events(EVENTS, 5, STARTED, f"several|{name}")


def ct_reports(name: str, pattern: Sequence[Sequence[int]]) -> list[Dataset]:
    """Return reports of one CT study, each with these of its events.

    Each is made one minute after the one before.
    """
    events = ct_events(name)
    return [
        _made(
            ct_report(
                [events[index] for index in indices],
                study=_study(name),
                key=f"several|{name}|{number}",
            ),
            number,
        )
        for number, indices in enumerate(pattern)
    ]


def rf_events(name: str) -> list[ProjectionEvent]:
    planes = (v.PLANE_A, v.PLANE_B)
    return fluoroscopy_events(
        EVENTS, 5, STARTED, f"several|{name}", vendor("siemens-xa"), planes=planes
    )


def rf_reports(name: str, pattern: Sequence[Sequence[int]]) -> list[Dataset]:
    """Return the same for a study in two planes; both planes are in each report."""
    events = rf_events(name)
    made = [
        fluoroscopy_report(
            [events[index] for index in indices],
            vendor="siemens-xa",
            study=_study(name),
            key=f"several|{name}|{number}",
        )
        for number, indices in enumerate(pattern)
    ]
    return [_made(dataset, number) for number, dataset in enumerate(made)]


def _study(name: str) -> Study:
    return Study(instance_uid=study_uid(name), started=STARTED, description="Several reports")


def _made(dataset: Dataset, number: int) -> Dataset:
    """Return the report as made `number` minutes after the first."""
    put(dataset, ContentTime=f"{STARTED + timedelta(minutes=number + 20):%H%M%S}")
    return dataset
