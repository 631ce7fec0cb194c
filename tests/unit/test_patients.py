"""Two patients under one Study Instance UID: kept apart where sex or birth date contradicts, marked
where only the ID differs, and numbered alike whatever the order of arrival."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import extract, samples
from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.store import Store, Writer
from tests.unit.test_arrival import IDENTITY, arrive, everything

ANNA = {"PatientID": "1001", "PatientBirthDate": "19700101", "PatientSex": "F"}


def report(key: str, **patient: str) -> Dataset:
    """A report of two events of one study, of this patient."""
    study = samples.Study(instance_uid=samples.uid("two patients"))
    dataset = samples.ct_report(2, study=study, key=key)
    for name, value in (ANNA | patient).items():
        setattr(dataset, name, value)
    return dataset


def records(*datasets: Dataset, rules: IdentityRules = IDENTITY) -> list[Record]:
    parts = []
    for dataset in datasets:
        kept = extract.keep(part10.read_any(samples.part10(dataset)), rules)
        kept = extract.unpack(kept.pack()[0])
        found = extract.extract_object(kept, str(dataset.SOPClassUID))
        parts.append(Part(str(dataset.SOPInstanceUID), found))
    return put_together(parts)


def told(record: Record) -> set[str]:
    marks = {m["mark"] for m in record.study["marks"] if m["field"] == "study_instance_uid"}
    assert marks <= set(record.study["all_marks"])
    return marks


@pytest.mark.parametrize(
    ("other", "number", "mark"),
    [
        ({}, 1, set()),
        ({"PatientSex": "M"}, 1, set()),  # the same ID: the same patient
        ({"PatientID": "1002"}, 1, {"several_patient_ids"}),
        ({"PatientID": "1002", "PatientSex": "M"}, 2, {"several_patients"}),
        ({"PatientID": "1002", "PatientBirthDate": "19820304"}, 2, {"several_patients"}),
        ({"PatientID": "1002", "PatientBirthDate": "", "PatientSex": ""}, 1, {"several_patient_ids"}),
        ({"PatientID": "1002", "PatientBirthDate": "19000101"}, 1, {"several_patient_ids"}),
        ({"PatientID": "1002", "PatientSex": "O"}, 1, {"several_patient_ids"}),
        ({"PatientID": "", "PatientSex": "M"}, 1, set()),
    ],
)  # fmt: skip
def test_patients_are_apart_where_id_and_sex_or_birth_date_differ(
    other: dict[str, str], number: int, mark: set[str]
) -> None:
    one, two = report("one"), report("two", **other)
    for order in ([one, two], [two, one]):
        found = records(*order)
        assert len(found) == number
        assert all(told(record) == mark for record in found)
        assert sum(record.study["number_of_events"] for record in found) == 4


def test_an_object_without_an_id_goes_with_the_one_patient_that_it_fits() -> None:
    objects = [
        report("one"),
        report("two", PatientID="1002", PatientSex="M"),
        report("three", PatientID="", PatientSex="M", PatientBirthDate=""),
    ]
    for order in permutations(objects):
        found = {record.study["patient_sex"]: record for record in records(*order)}
        assert found["F"].study["number_of_events"] == 2
        assert found["M"].study["number_of_events"] == 4


def test_without_a_key_nothing_is_kept_that_tells_patients_apart() -> None:
    kept = extract.keep(part10.read_any(samples.part10(report("one"))), IdentityRules())
    assert kept.subject == {}
    both = records(
        report("one"), report("two", PatientID="1002", PatientSex="M"), rules=IdentityRules()
    )
    assert len(both) == 1


def test_the_hashes_depend_on_the_key_and_hold_no_id() -> None:
    dataset = samples.part10(report("one"))
    one, other = (
        extract.keep(part10.read_any(dataset), IdentityRules(secret=secret)).subject
        for secret in (b"1" * 32, b"2" * 32)
    )
    assert set(one) == {"id", "birth_date"} and not set(one.values()) & set(other.values())
    assert "1001" not in one.values()


def test_the_hashes_do_not_tell_which_studies_are_of_one_patient() -> None:
    one, again, other = (
        extract.keep(
            part10.read_any(samples.part10(report(key, StudyInstanceUID=study))),
            IdentityRules(secret=b"1" * 32),
        ).subject
        for key, study in (("one", "2.25.1"), ("two", "2.25.1"), ("three", "2.25.2"))
    )
    assert one == again and not set(one.values()) & set(other.values())


def test_records_keep_their_numbers_whatever_comes_later(tmp_path: Path) -> None:
    objects = [
        (str(ds.SOPInstanceUID), str(ds.SOPClassUID), samples.part10(ds))
        for ds in (
            report("one"),
            report("two", PatientID="1002", PatientSex="M"),
            report("three", PatientID="1003", PatientSex="M", PatientBirthDate="19990909"),
        )
    ]

    def numbers(store: Store) -> dict[Any, int]:
        with store.reading() as connection:
            query = "SELECT study_id, sop_instance_uid FROM object"
            return {sop: number for number, sop in connection.execute(query).fetchall()}

    all_of_it = []
    for place, order in enumerate(permutations(objects)):
        (tmp_path / str(place)).mkdir()
        store = Store(tmp_path / str(place))
        writer = Writer(store)
        before: dict[Any, int] = {}
        for change, one in enumerate(order, 1):
            arrive(writer, [one], change)
            now = numbers(store)
            assert now | before == now, "a study's number is what users and links know it by"
            before = now
        assert len(set(before.values())) == 3
        all_of_it.append(everything(store))
        writer.close()
        store.close()
    assert all(found == all_of_it[0] for found in all_of_it)
