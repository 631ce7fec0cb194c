"""Rejection notes: Key Object Selection Documents (PS3.16 TID 2010) that name rejected objects."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from orthanc_dose.samples.document import coded_dataset, file_meta, uid

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
# PS3.16 CID 7011: code value and meaning of titles.
TITLES = {
    "113038": "Incorrect Modality Worklist Entry",
    "113037": "Rejected for Patient Safety Reasons",
    "113001": "Rejected for Quality Reasons",
    "113039": "Data Retention Policy Expired",
    "113000": "Of Interest",
}


def rejection_note(
    rejected: Sequence[Dataset], title: str = "113038", *, study_uid: str = "", key: str = "note"
) -> Dataset:
    """Return a note that names these objects.

    title: a key of TITLES. study_uid: of the note, if it is not that of the first object.
    """
    ds = Dataset()
    of = rejected[0]
    ds.SOPClassUID, ds.SOPInstanceUID = KEY_OBJECT_SELECTION, uid("note", key)
    ds.file_meta = file_meta(ds.SOPClassUID, ds.SOPInstanceUID)
    ds.StudyInstanceUID = study_uid or of.StudyInstanceUID
    ds.SeriesInstanceUID = uid("note", key, "series")
    ds.PatientID, ds.PatientName = of.get("PatientID", ""), of.get("PatientName", "")
    ds.StudyDate, ds.StudyTime = of.get("StudyDate", ""), of.get("StudyTime", "")
    ds.ContentDate, ds.ContentTime = of.get("StudyDate", ""), "120000"
    ds.Modality, ds.Manufacturer = "KO", "Sample Archive"
    ds.SeriesNumber, ds.InstanceNumber = "900", "1"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [coded_dataset(title, "DCM", TITLES[title])]
    ds.CurrentRequestedProcedureEvidenceSequence = [_evidence(one) for one in rejected]
    ds.ContentSequence = [_item(one) for one in rejected]
    return ds


def _reference(of: Dataset) -> Dataset:
    one = Dataset()
    one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = of.SOPClassUID, of.SOPInstanceUID
    return one


def _evidence(of: Dataset) -> Dataset:
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = of.SeriesInstanceUID, [_reference(of)]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = of.StudyInstanceUID, [series]
    return study


def _item(of: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "COMPOSITE"
    item.ReferencedSOPSequence = [_reference(of)]
    return item
