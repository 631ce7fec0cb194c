"""Identity, templates and encodings."""

from __future__ import annotations

from pydicom.dataset import Dataset

from orthanc_dose.samples import values as v
from orthanc_dose.samples.document import part10, put, uid
from orthanc_dose.samples.hostile.registry import Maker, entry, named, refused, report, with_header
from orthanc_dose.samples.other import non_dose_sr, other_root_dose_sr, report_without_anything
from orthanc_dose.samples.projection import Filter, ProjectionEvent
from orthanc_dose.samples.projection_reports import fluoroscopy_report
from orthanc_dose.samples.sr import (
    element,
)


def _without(name: str, keyword: str, *, empty: bool = False) -> Maker:
    def make(seed: int) -> bytes:
        ds = report(name, seed)
        del ds[keyword]
        if empty:
            put(ds, **{keyword: ""})
        return part10(ds)

    return make


named("no_study_uid", _without("no_study_uid", "StudyInstanceUID"), is_refused=True)
named(
    "empty_study_uid", _without("empty_study_uid", "StudyInstanceUID", empty=True), is_refused=True
)
named("no_series_uid", _without("no_series_uid", "SeriesInstanceUID"), is_refused=True)
named("no_patient_id", _without("no_patient_id", "PatientID"))
named("no_modality", _without("no_modality", "Modality"))
named("no_manufacturer", _without("no_manufacturer", "Manufacturer"))


@entry
def long_study_uid(seed: int) -> bytes:
    return with_header("long_study_uid", seed, StudyInstanceUID="1.2." + "9" * 200)


@refused
def no_sop_instance_uid(seed: int) -> bytes:
    whole = part10(report("no_sop_instance_uid", seed))
    ds_uid = element(
        8, 0x18, b"UI", uid(f"hostile|no_sop_instance_uid|{seed}", "instance").encode()
    )
    return whole.replace(ds_uid, b"", 1)


named("not_a_dose_report", lambda seed: part10(non_dose_sr(seed=seed)))
named("other_root_code", lambda seed: part10(other_root_dose_sr(seed=seed)))
named("root_alone", lambda seed: part10(report_without_anything(seed=seed)))


@entry
def unknown_template(seed: int) -> bytes:
    return part10(report("unknown_template", seed, template="31337"))


@entry
def template_of_the_other_kind(seed: int) -> bytes:
    """Write CT content under the template of a projection report."""
    return part10(report("template_of_the_other_kind", seed, template="10001"))


@entry
def fluoroscopy_full_of_holes(seed: int) -> bytes:
    """Write events with nothing in them, with text for numbers, with pulse lists of different
    lengths and words for filters.
    """
    key = f"hostile|fluoroscopy_full_of_holes|{seed}"
    events = [
        ProjectionEvent(),
        ProjectionEvent(uid=uid(key, 1), dap="n/a", rp_dose="--", rp_dose_empty=True),
        ProjectionEvent(
            uid=uid(key, 2),
            kvp=[70, 0, 0, 72],
            current=[1.0],
            pulse_width=[],
            exposure=[5.0, 6.0],
            filters=[Filter(None, None, "0,1", "thick"), Filter(None, None, None, None)],
        ),
        ProjectionEvent(
            uid=uid(key, 3), type=v.CONSTANT_ANGLE, plane=v.ALL_PLANES, table=(1e9, -1e9, 0.0)
        ),
    ]
    return part10(fluoroscopy_report(events, seed=seed, key=key, totals=None))


@entry
def undefined_lengths(seed: int) -> bytes:
    """Write a valid object in which every sequence and item of the content has undefined length."""
    ds = report("undefined_lengths", seed)

    def loosen(dataset: Dataset) -> None:
        for data_element in dataset:
            if data_element.VR == "SQ":
                data_element.is_undefined_length = True
                for item in data_element.value:
                    item.is_undefined_length_sequence_item = True
                    loosen(item)

    loosen(ds)
    return part10(ds)


named("implicit_vr", lambda seed: part10(report("implicit_vr", seed), implicit=True))
