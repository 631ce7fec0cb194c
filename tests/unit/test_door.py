"""What is dropped before it is stored, and lists of systems and of physics studies, on made-up
objects.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from orthanc_dose import samples
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.extract import Ignored
from orthanc_dose.ingest import Door, Options
from orthanc_dose.ingest.ignoring import Ignoring
from orthanc_dose.samples.hostile import HOSTILE


def door(*kinds: str, ignoring: Ignoring | None = None, **more: Any) -> Door:
    return Door(Options(dropped=frozenset(kinds), ignoring=ignoring or Ignoring(), **more))


def with_patient(dataset: Dataset, name: str = "Some^Body", patient_id: str = "ID7") -> Dataset:
    dataset.PatientName, dataset.PatientID = name, patient_id
    return dataset


def test_only_what_the_class_tells_is_dropped() -> None:
    every = door("mammography", "radiography", "nuclear", "unmatched")
    assert every.drops(samples.part10(samples.ct_slice()))
    assert every.drops(samples.part10(samples.mammography_image()))
    assert not every.drops(samples.part10(samples.ct_report(1)))
    assert not every.drops(samples.part10(samples.non_dose_sr()))
    assert not every.drops(samples.part10(samples.philips_dose_info()))
    assert not door("mammography").drops(samples.part10(samples.ct_slice()))
    assert not door().drops(samples.part10(samples.ct_slice()))
    assert not door("unmatched", dose_from_ct_images=True).drops(samples.part10(samples.ct_slice()))


def test_the_data_set_and_not_the_head_of_the_file_decides() -> None:
    report = samples.ct_report(1)
    report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    assert not door("unmatched").drops(samples.part10(report))


def test_physics_studies_are_never_dropped() -> None:
    keeps = door(
        "unmatched", ignoring=Ignoring(physics_names=("*physics*",), physics_ids=("qa-?",))
    )
    assert not keeps.drops(samples.part10(with_patient(samples.ct_slice(), "PHYSICS^Monthly")))
    assert not keeps.drops(samples.part10(with_patient(samples.ct_slice(), patient_id="QA-1")))
    assert keeps.drops(samples.part10(with_patient(samples.ct_slice(), "Phys^Other", "QA-11")))


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_whatever_comes_is_answered(name: str) -> None:
    keeps = door("unmatched", "radiography", ignoring=Ignoring(physics_names=("a",)))
    assert keeps.drops(HOSTILE[name](1)) in (True, False)


def test_every_cut_of_an_object_is_answered() -> None:
    raw = samples.part10(samples.ct_slice())
    keeps = door("unmatched", ignoring=Ignoring(physics_names=("a",)))
    for length in range(0, 1400, 3):
        assert keeps.drops(raw[:length]) in (True, False)


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("undefined", [True, False])
def test_the_beginning_of_an_object(implicit: bool, undefined: bool) -> None:
    dataset = with_patient(samples.ct_slice())
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    dataset.ReferencedImageSequence = Sequence([item])
    dataset["ReferencedImageSequence"].is_undefined_length = undefined
    dataset.ReferencedImageSequence[0].is_undefined_length_sequence_item = undefined
    raw = samples.part10(dataset, implicit=implicit)
    whole = part10.read_part10(raw).dataset
    assert part10.beginning(raw) == {tag: value for tag, value in whole.items() if tag < "0011"}
    assert part10.announced_class(raw) == dataset.SOPClassUID


def test_a_deflated_object_is_not_read_in_part() -> None:
    dataset = samples.ct_slice()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    raw = buffer.getvalue()
    with pytest.raises(part10.OtherTransferSyntax):
        part10.beginning(raw)
    assert not door("unmatched").drops(raw)


def test_no_dicom_has_no_beginning() -> None:
    for raw in (b"", b"x" * 1000, b"PK" + bytes(1000)):
        assert part10.announced_class(raw) is None
        with pytest.raises(Unreadable):
            part10.beginning(raw)


SYSTEM = {
    "0008,0070": "Acme Ltd.",
    "0008,1090": "Shadow 3",
    "0008,1010": "ROOM1",
    "0018,1020": "VA10\\VA11",
    "0018,1000": "4711",
    "0010,0010": "Doe^Jane",
    "0010,0020": "P-1",
}


@pytest.mark.parametrize(
    ("lists", "rule", "words"),
    [
        (
            {"manufacturers": ("other", "ACME*")},
            "ignored_system",
            ["ignored manufacturers", '"ACME*"'],
        ),
        ({"models": ("shadow ?",)}, "ignored_system", ["ignored models", '"shadow ?"']),
        ({"stations": ("room[0-9]",)}, "ignored_system", ["ignored stations", '"room[0-9]"']),
        (
            {"software_versions": ("va11",)},
            "ignored_system",
            ["ignored software versions", '"va11"'],
        ),
        ({"serial_numbers": ("47*",)}, "ignored_system", ["ignored serial numbers", '"47*"']),
        (
            {"physics_names": ("doe^*",), "models": ("*",)},
            "physics",
            ["names of physics studies", '"doe^*"'],
        ),
        ({"physics_ids": ("p-?",)}, "physics", ["IDs of physics studies", '"p-?"']),
        ({"models": ("shadow",), "physics_names": ("jane",)}, None, []),
    ],
)
def test_lists(lists: dict[str, tuple[str, ...]], rule: str | None, words: list[str]) -> None:
    ignoring = Ignoring(**lists)
    if rule is None:
        ignoring.check(SYSTEM)
        return
    with pytest.raises(Ignored) as found:
        ignoring.check(SYSTEM)
    assert found.value.rule == rule and ignoring.is_physics(SYSTEM) == (rule == "physics")
    assert all(word in found.value.reason for word in words)
    assert not any(word in found.value.reason for word in ("Doe^Jane", "P-1", "Shadow 3", "4711"))
