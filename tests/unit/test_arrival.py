"""Objects of one study in whatever order, batches and repetition they come, before and after a
restart: the store says the same. On a real store, by the same code as the worker's."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.ingest import assembly
from orthanc_dose.ingest.reading import read_instance
from orthanc_dose.records import STUDY_TABLES
from orthanc_dose.samples import image_ct
from orthanc_dose.samples.rejection import rejection_note
from orthanc_dose.store import Store, Writer
from tests.support import split
from tests.support.effort import examples
from tests.support.several import ct_reports, rf_reports

RECEIVED = datetime(2026, 1, 1)
IDENTITY = IdentityRules(secret=b"k" * 32)


def _pet_ct() -> list[Dataset]:
    """Two devices of one study: a CT report, and PET images of the same moment."""
    study = samples.Study(instance_uid=samples.uid("pet-ct"))
    return [
        samples.ct_report(2, study=study, key="pet-ct"),
        *samples.nuclear_images("ge-pet", slices=2, study=study),
    ]


def _report_and_images() -> list[Dataset]:
    study, system = samples.Study(instance_uid=samples.uid("with images")), samples.System()
    report = samples.radiography_report(2, study=study, system=system, key="with images")
    uids = [
        str(item.UID)
        for event in report.ContentSequence
        for item in event.get("ContentSequence", ())
        if item.ValueType == "UIDREF" and item.ConceptNameCodeSequence[0].CodeValue == "113769"
    ]
    same = {"study": study, "system": system}
    images = [
        samples.radiography_image(
            "standard", **same, event_uid=uid, key=f"image {uid} {intent}", intent=intent
        )
        for uid in uids
        for intent in ("processing", "presentation")
    ]
    return [report, *images]


def _dose_info_and_report() -> list[Dataset]:
    study = samples.Study(instance_uid=samples.uid("dose info"))
    system = (
        samples.System(vendor=samples.vendor("philips-ct"))
        if "philips-ct" in samples.VENDORS
        else samples.System()
    )
    return [
        samples.philips_dose_info(study=study, system=system),
        samples.ct_report(3, study=study, system=system, key="info"),
        *samples.ct_images("siemens", series=(image_ct.ABDOMEN,), study=study, system=system),
    ]


def _exposures() -> list[Dataset]:
    """An exposure as two objects without event UIDs, and two more with them."""
    study = samples.Study(instance_uid=samples.uid("exposures"))
    pair = samples.radiography_pair("standard", event_uid=False, study=study, number=7, key="pair")
    return [*pair, *samples.radiography_study("standard", exposures=2, study=study)]


def _pairs_that_differ() -> list[Dataset]:
    """Two exposures within a second, each as two objects that round in their own way."""
    same = {"event_uid": False, "study": samples.Study(instance_uid=samples.uid("differ"))}
    return [
        samples.radiography_image(
            intent=intent, key=f"differ|{raw}", ImageAndFluoroscopyAreaDoseProduct=dap, **same
        )
        for raw, shown in (("0.4123", "0.41"), ("0.4141", "0.414"))
        for intent, dap in (("processing", raw), ("presentation", shown))
    ]


def _corrected_pet() -> list[Dataset]:
    """Three series of one injection, whose time and activity were corrected on the console."""
    study = samples.Study(instance_uid=samples.uid("corrected"))
    given = samples.Administration()
    later = replace(given, started=given.started + timedelta(minutes=3), activity=215.0)
    return [
        samples.nuclear_images(
            "ge-pet", 1, administrations=[one], series=number, key="corrected", study=study
        )[0]
        for number, one in enumerate((given, later, replace(given, started=None)), 1)
    ]


def _two_patients() -> list[Dataset]:
    """Two reports of one patient and one of another, under one Study Instance UID."""
    study = samples.Study(instance_uid=samples.uid("two patients"))
    reports = [samples.ct_report(2, study=study, key=f"patient {number}") for number in range(3)]
    reports[1].PatientID, reports[1].PatientSex = "another", "M"
    return reports


def _rejected_report() -> list[Dataset]:
    """Two reports of a study, one of them rejected, and the other marked by a second note."""
    first, second = (
        samples.ct_report(
            2, study=samples.Study(instance_uid=samples.uid("notes")), key=f"notes {n}"
        )
        for n in range(2)
    )
    return [
        first,
        second,
        rejection_note([first], key="wrong patient"),
        rejection_note([second], "113001", key="quality"),
    ]


def _several_orders() -> list[Dataset]:
    """Reports of one study with orders of their own, and a total that contradicts its events."""
    study = samples.Study(instance_uid=samples.uid("orders"))
    made = [
        samples.ct_report(2, study=study, key=f"orders {number}", total=7056 if number else "sum")
        for number in range(2)
    ]
    for number, report in enumerate(made):
        orders = [Dataset(), Dataset()]
        for order, one in enumerate(orders, number):
            one.AccessionNumber, one.StudyInstanceUID = f"ORDER{order}", study.instance_uid
        report.ReferencedRequestSequence = orders
    return made


def _containers() -> list[Dataset]:
    """A report with two equal accumulated containers, beside one with pulse values."""
    study = samples.Study(instance_uid=samples.uid("containers"))
    calibrated = samples.fluoroscopy_report(3, study=study, key="containers", biplane=True)
    pulses = samples.fluoroscopy_report(
        3, seed=4, study=study, key="pulses", biplane=True, pulse_level=True
    )
    accumulated = [
        item
        for item in calibrated.ContentSequence
        if item.get("ConceptNameCodeSequence")
        and item.ConceptNameCodeSequence[0].CodeValue == "113702"
    ]
    assert accumulated
    calibrated.ContentSequence.append(accumulated[0])
    return [calibrated, pulses]


def _pet_series() -> list[Dataset]:
    """Reconstructions of one PET acquisition, and one whose activity contradicts."""
    return samples.nuclear_study("siemens-pet", (221.6, 221.6, 219.4))


def _cone_beam() -> list[Dataset]:
    """A volume, another reconstruction of its run, and slices of another run."""
    study = samples.Study(instance_uid=samples.uid("cone beam"))
    run = samples.uid("cone beam", "run")
    return [
        *(
            samples.cone_beam_volume(
                event_uid=run, study=study, key=f"volume {number}", series=number, number=number
            )
            for number in (1, 2)
        ),
        *samples.cone_beam_slices(study=study, series=3, slices=2),
    ]


def _enhanced_ct() -> list[Dataset]:
    """A report, and Enhanced CT images of one event and of no named one."""
    study = samples.Study(instance_uid=samples.uid("enhanced"))
    return [
        samples.ct_report(1, study=study, key="enhanced"),
        samples.enhanced_ct_image(study=study, key="enhanced 1"),
        samples.enhanced_ct_image(study=study, key="enhanced 2", event_uid=None, series=3),
    ]


STUDIES = {
    "cumulative": lambda: ct_reports("cumulative", [[0, 1], [0, 1, 2], [0, 1, 2, 3, 4, 5]]),
    "overlapping": lambda: rf_reports("overlapping", [[0, 1, 2], [2, 3], [3, 4, 5]]),
    "mixed": lambda: ct_reports("mixed", [[0, 1], [0, 1, 2], [4]]),
    "exposures": _exposures,
    "tomosynthesis": lambda: list(samples.hologic_combo(volume=True)),
    "a report and its images": _report_and_images,
    "pairs that differ": _pairs_that_differ,
    "a stitched image": samples.stitched_leg,
    "a corrected administration": _corrected_pet,
    "two patients": _two_patients,
    "two devices": _pet_ct,
    "rejection notes": _rejected_report,
    "split on the console": lambda: split.ct("three studies"),
    "several orders": _several_orders,
    "containers and pulses": _containers,
    "PET series": _pet_series,
    "cone-beam volumes": _cone_beam,
    "enhanced CT": _enhanced_ct,
    "dose screen, report and images": _dose_info_and_report,
}


@lru_cache
def objects(name: str) -> list[tuple[str, str, bytes]]:
    """(SOP instance UID, SOP class UID, bytes) of a study's objects."""
    return [
        (str(ds.SOPInstanceUID), str(ds.SOPClassUID), samples.part10(ds)) for ds in STUDIES[name]()
    ]


def arrive(writer: Writer, batch: list[tuple[str, str, bytes]], change: int) -> None:
    reads = {}
    for sop, sop_class, raw in batch:
        orthanc_id = hashlib.sha1(sop.encode()).hexdigest()
        before = next(
            (row for row in writer.known_objects([orthanc_id], []) if row["handle"] == orthanc_id),
            None,
        )
        row = {
            "handle": orthanc_id,
            "sop_instance_uid": sop,
            "sop_class_uid": sop_class,
            "received_at": RECEIVED,
            "change": change,
            "attempts": 1,
            "size": len(raw),
            "before": before,
        }
        reads[orthanc_id] = read_instance(row, lambda raw=raw: raw, identity=IDENTITY)
    writer.commit(assembly.batch(writer, list(reads.values()), {"cursor": str(change)}))


def everything(store: Store) -> dict[str, Any]:
    """What the store says, but for the numbers that rows have and when they were written."""
    with store.reading() as connection:
        out: dict[str, Any] = {}
        out["study"] = connection.execute(
            "SELECT s.* EXCLUDE (id, equipment_id, made_by, stored_at, shared_with), "
            "list_sort(list_transform(shared_with, lambda one: (one.study_instance_uid, "
            "one.events, one.counted_there))), e.manufacturer_model_name, "
            "m.manufacturer_model_name"
            " FROM study s JOIN equipment e ON e.id = s.equipment_id LEFT JOIN equipment m ON m.id "
            "= s.made_by"
            " ORDER BY study_instance_uid, modality, e.manufacturer_model_name"
        ).fetchall()
        for table in STUDY_TABLES:
            counted = any(field.name == "counted_in" for field in table.fields)
            study = "(SELECT study_instance_uid FROM study WHERE id = counted_in)"
            query = (
                f"SELECT t.* EXCLUDE (study_id{', counted_in' * counted}), s.modality"
                f'{f", {study}" * counted} FROM "{table.name}" t JOIN study s '
                f"ON s.id = t.study_id"
            )
            found = connection.execute(query).fetchall()
            out[table.name] = sorted(map(repr, found))
        out["object"] = connection.execute(
            "SELECT sop_instance_uid, modality, outcome, rule, reason, source, content_digest FROM "
            "object ORDER BY 1"
        ).fetchall()
        return out


@pytest.mark.parametrize("name", STUDIES)
@examples(4)
@given(data=st.data())
def test_the_order_of_arrival_does_not_matter(name: str, data: st.DataObject) -> None:
    given_objects = objects(name)
    order = data.draw(st.permutations(range(len(given_objects))))
    repeated = data.draw(st.lists(st.sampled_from(range(len(given_objects))), max_size=3))
    coming = [given_objects[index] for index in [*order, *repeated]]
    cuts = sorted(data.draw(st.lists(st.integers(1, len(coming)), max_size=4, unique=True)))
    restart = data.draw(st.booleans())
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        writer = Writer(store)
        for change, (begin, end) in enumerate(
            zip([0, *cuts], [*cuts, len(coming)], strict=True), 1
        ):
            if begin < end:
                arrive(writer, coming[begin:end], change)
            if restart:
                writer.close()
                store.reopen()
                writer = Writer(store)
        found = everything(store)
        writer.close()
        store.close()
    assert found == expected(name)


@lru_cache
def expected(name: str) -> dict[str, Any]:
    """All objects at once."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        writer = Writer(store)
        arrive(writer, objects(name), 1)
        found = everything(store)
        writer.close()
        store.close()
        return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    opened = Writer(store)
    yield opened
    opened.close()


@pytest.mark.parametrize("place", range(3))
def test_taking_an_object_out_leaves_what_the_others_say(
    store: Store, writer: Writer, place: int
) -> None:
    """The object at a place of each study, where there is one; all studies are in one store."""
    studies = [objects(name) for name in STUDIES]
    gone = [study[place] for study in studies if len(study) > place]
    assert len(gone) > 4
    arrive(writer, [one for study in studies for one in study if one not in gone], 1)
    without = everything(store)
    for number, one in enumerate(gone, 2):
        arrive(writer, [one], number)
    for sop_instance_uid, _, _ in gone:
        writer.commit(assembly.without(writer, sop_instance_uid))
    found = everything(store)
    out = {sop_instance_uid for sop_instance_uid, _, _ in gone}
    found["object"] = [row for row in found["object"] if row[0] not in out]
    assert found == without


def test_reading_again_from_kept_content_changes_nothing(store: Store, writer: Writer) -> None:
    arrive(writer, [one for name in STUDIES for one in objects(name)], 1)
    before = everything(store)
    for uids in writer.studies_with_content(""):
        writer.commit(assembly.again(writer, [uids], {}))
    assert everything(store) == before


def test_a_study_whose_last_object_is_taken_out_is_gone(store: Store, writer: Writer) -> None:
    (only,) = objects("cumulative")[:1]
    arrive(writer, [only], 1)
    writer.commit(assembly.without(writer, only[0]))
    found = everything(store)
    assert not any(found[name] for name in found if name != "object")
    assert [(row[2], row[3], row[6]) for row in found["object"]] == [("ignored", "taken_out", None)]
    arrive(writer, [only], 2)
    assert len(everything(store)["study"]) == 1
