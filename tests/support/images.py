"""Images to records, as the program reads them."""

from __future__ import annotations

from pydicom.dataset import Dataset

from orthanc_dose import extract, samples
from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.extract import Extract

Row = dict[str, object]


def read(dataset: Dataset) -> Extract:
    raw = samples.part10(dataset)
    kept = extract.keep(part10.read_any(raw))
    packed, _ = kept.pack()
    return extract.extract_object(extract.unpack(packed), str(dataset.SOPClassUID))


def event(dataset: Dataset) -> Row:
    (row,) = read(dataset).events
    return row


def marks(row: Row, field: str) -> set[str]:
    return {entry["mark"] for entry in row.get("marks") or () if entry["field"] == field}  # type: ignore[union-attr, attr-defined]


def together(datasets: list[Dataset]) -> list[Record]:
    return put_together([Part(str(ds.SOPInstanceUID), read(ds)) for ds in datasets])
