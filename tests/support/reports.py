"""Reports of the makers, read into extracts and records."""

from pydicom.dataset import Dataset

from orthanc_dose import extract
from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.extract import Extract
from orthanc_dose.records import MARKS
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples import vendor as habits
from orthanc_dose.samples.document import Study
from orthanc_dose.samples.projection import ProjectionEvent
from orthanc_dose.samples.projection_reports import fluoroscopy_events


def read(made: Dataset | bytes) -> Extract:
    raw = made if isinstance(made, bytes) else as_bytes(made)
    found = part10.read_part10(raw)
    return extract.extract_object(extract.keep(found), str(found.dataset["0008,0016"]))


def record(*made: Dataset | bytes) -> Record:
    records = put_together([Part(str(number), read(one)) for number, one in enumerate(made)])
    assert len(records) == 1
    return records[0]


def marks(row: dict, field: str) -> list[str]:
    """Return the kinds of marks on a field; each must be one that the documentation explains."""
    found = [entry["mark"] for entry in row.get("marks") or () if entry["field"] == field]
    assert set(found) <= set(MARKS)
    return found


def unused(found: Extract) -> dict[str | None, object]:
    return {item.concept: item.value for item in found.unused}


def events(count: int = 3, seed: int = 5, **changes: object) -> list[ProjectionEvent]:
    made = fluoroscopy_events(count, seed, Study().started, f"vendor|{seed}", habits("standard"))
    for event in made:
        for name, value in changes.items():
            setattr(event, name, value)
    return made
