"""Radiopharmaceutical dose reports to records: every row of their templates, makers' habits, totals
of a study.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from orthanc_dose import extract
from orthanc_dose.assemble.totals import totals_of_study
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.extract import Extract
from orthanc_dose.samples import make_studies, nuclear, vendor
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.image_nuclear import GALLIUM_DOTATATE, IODIDE
from orthanc_dose.samples.sr import container
from orthanc_dose.samples.values import LEFT
from tests.unit.test_extract import check_numbers

FDG, BONE = nuclear.FDG_GIVEN, nuclear.BONE_GIVEN
FULL = nuclear.Administered(
    replace(FDG.given, event_uid="1.2.3.4"), before=231.5, after=9.9, measured_with=nuclear.INFUSION_SYSTEM,
    specific_activity=4.5e12, extravasation=2.5, symptoms=(nuclear.INJECTION_PAIN,), effective_dose=4.2,
    organ_doses=(nuclear.OrganDose(nuclear.KIDNEY, 3.77, nuclear.BILATERAL, mass=310, authority=nuclear.ICRP_80),),
    site=nuclear.VEIN, laterality=LEFT, person="Given^Sample", billing=(Concept("A9552", "FDG", "99SAMPLE"),),
    products=(Concept("70512-100", "FDG vial", "99SAMPLE"),), brand="Sample FDG", dispense_unit="SYR-1", lots=("L1", "L2"),
    vials=("V1",), radionuclides=("N1",), prescription="RX-1", comment="well tolerated",
)  # fmt: skip
STATE = nuclear.PatientState(
    states=(nuclear.RESTING, nuclear.JAUNDICED), age=61, height=171, weight=80, surface=1.92, body_mass_index=27.4,
    glucose=5.4, fasting=6, hydration=500, exercise="none", creatinine=0.9, filtration_rates=(88, 91),
)  # fmt: skip


def read(dataset) -> Extract:  # type: ignore[no-untyped-def]
    return extract.extract_object(
        extract.keep(part10.read_part10(as_bytes(dataset))), dataset.SOPClassUID
    )


def meaning(code: dict[str, str | None] | None) -> str | None:
    return code and code["meaning"]


def test_every_row_of_an_administration_has_its_field() -> None:
    found = read(nuclear.radiopharmaceutical_report([FULL], comment="report"))
    assert found.modality == "NM" and not found.unused and not found.accumulated
    (row,) = found.events
    assert not row.get("marks")
    assert {name: value for name, value in row.items() if isinstance(value, str | float | datetime)} == {
        "administration_event_uid": "1.2.3.4", "administered_activity": 221.6, "radionuclide_half_life": 6586.2,
        "specific_activity": 4.5e6, "datetime_started": datetime(2025, 3, 14, 8, 21),
        "datetime_stopped": datetime(2025, 3, 14, 8, 22), "radiopharmaceutical_volume": 2.0,
        "pre_administration_activity": 231.5, "post_administration_activity": 9.9, "estimated_extravasation_activity": 2.5,
        "effective_dose": 4.2, "effective_dose_reference_authority": "ICRP Publication 128", "brand_name": "Sample FDG",
        "dispense_unit_identifier": "SYR-1", "prescription_identifier": "RX-1", "comment": "well tolerated",
    }  # fmt: skip
    codes = (
        "radiopharmaceutical_agent",
        "radionuclide",
        "pre_administration_device",
        "post_administration_device",
        "route_of_administration",
        "site_of_administration",
        "laterality",
    )
    assert [meaning(row[name]) for name in codes] == [
        "Fluorodeoxyglucose F^18^",
        "^18^Fluorine",
        "Infusion System",
        "Infusion System",
        "Intravenous route",
        "Via vein",
        "Left",
    ]
    assert [one["identifier"] for one in row["lot_identifiers"]] == ["L1", "L2"]
    assert [
        one["identifier"]
        for name in ("reagent_vial_identifiers", "radionuclide_identifiers")
        for one in row[name]
    ] == ["V1", "N1"]
    lists = ("extravasation_symptoms", "billing_codes", "drug_product_identifiers")
    assert [[one["value"] for one in row[name]] for name in lists] == [
        ["95388000"],
        ["A9552"],
        ["70512-100"],
    ]
    (organ,) = row["organ_doses"]
    assert (meaning(organ["finding_site"]), meaning(organ["laterality"]), organ["organ_dose"]) == (
        "Kidney",
        "Bilateral",
        3.77,
    )
    assert (organ["mass"], organ["mass_method"]) == (310.0, "Standard tables")
    assert organ["reference_authority"] == "ICRP Publication 80"
    assert row["persons"][0]["name"] == "Given, Sample"
    study = found.study
    assert (meaning(study["procedure_reported"]), meaning(study["procedure_intent"])) == (
        "PET study for localization of tumor",
        "Diagnostic Intent",
    )
    assert study["comment"] == "report"


def test_the_patient_state_is_kept_with_the_study_and_fills_what_the_header_leaves_open() -> None:
    patient = nuclear.Patient(size=None, weight=None, age="", birth_date="", sex="")
    study = read(nuclear.radiopharmaceutical_report(state=STATE, patient=patient)).study
    (state,) = study["patient_characteristics"]
    assert [meaning(one) for one in state["patient_states"]] == [
        "Resting State",
        "Severely Jaundiced",
    ]
    assert {name: value for name, value in state.items() if isinstance(value, float | str)} == {
        "subject_age": 61,
        "patient_height": 171,
        "patient_weight": 80,
        "body_surface_area": 1.92,
        "body_mass_index": 27.4,
        "glucose": 5.4,
        "fasting_duration": 6,
        "hydration_volume": 500,
        "recent_physical_activity": "none",
        "serum_creatinine": 0.9,
    }
    assert [one["rate"] for one in state["glomerular_filtration_rates"]] == [88, 91]
    assert state["glomerular_filtration_rates"][0]["equivalent_meaning"]["value"] == "62238-1"
    assert (
        study["patient_size"],
        study["patient_weight"],
        study["patient_age"],
        study["patient_sex"],
    ) == (1.71, 80, 61, "F")


def test_the_header_of_the_report_counts_before_the_patient_state() -> None:
    study = read(
        nuclear.radiopharmaceutical_report(
            state=STATE, patient=nuclear.Patient(size=1.7, weight=79)
        )
    ).study
    assert (study["patient_size"], study["patient_weight"], study["patient_sex"]) == (1.7, 79, "F")


@pytest.mark.parametrize("maker", nuclear.REPORTERS)
def test_makers_write_the_same_in_their_own_way(maker: str, tmp_path: Path) -> None:
    path = tmp_path / "report.dcm"
    dataset = nuclear.radiopharmaceutical_report([FULL, BONE], vendor=maker, state=STATE)
    path.write_bytes(as_bytes(dataset))
    check_numbers(path)
    found = read(dataset)
    # Siemens writes the height in m, where the template has cm.
    assert found.study["patient_characteristics"][0]["patient_height"] == pytest.approx(171)
    assert [row["administered_activity"] for row in found.events] == [221.6, 612.5]
    assert [meaning(row["radiopharmaceutical_agent"]) for row in found.events] == [
        "Fluorodeoxyglucose F^18^",
        "Technetium Tc^99m^ medronate",
    ]


def test_units_are_read_and_unknown_ones_are_marked() -> None:
    def activity(unit: str, factor: float = 1.0) -> tuple[float | None, list[dict]]:
        made = vendor(nuclear.REPORTERS["spectrum"], units={"MBq": (unit, factor)})
        row = read(nuclear.radiopharmaceutical_report(vendor=made)).events[0]
        return row.get("administered_activity"), row.get("marks", [])

    assert activity("Bq", 1e6) == (221.6, []) and activity("Mbq") == (221.6, [])
    assert activity("GBq", 1e-3)[0] == pytest.approx(221.6)
    assert activity("mCi", 1 / 37)[0] == pytest.approx(221.6)
    # Millibecquerel or megabecquerel: nobody can know.
    assert activity("mBq") == (
        None,
        [{"field": "administered_activity", "mark": "unit_unknown", "raw": "221.6 mBq"}],
    )


def test_an_effective_dose_in_a_wrong_unit_is_marked_and_not_used() -> None:
    row = read(
        nuclear.radiopharmaceutical_report([replace(FDG, effective_dose=4.2, effective_unit="mGy")])
    ).events[0]
    assert row.get("effective_dose") is None
    assert row["marks"] == [{"field": "effective_dose", "mark": "unit_unknown", "raw": "4.2 mGy"}]


def test_a_report_without_administration_is_refused() -> None:
    with pytest.raises(Unreadable, match="no radiopharmaceutical administration"):
        read(nuclear.radiopharmaceutical_report([], state=STATE))


def test_what_no_field_takes_is_listed() -> None:
    odd = container(
        Concept("998877", "Own container", "99X"),
        nuclear.num(Concept("1", "Own", "99X", "", "mGy"), 12),
    )
    found = read(nuclear.radiopharmaceutical_report(extra=[odd]))
    assert [(item.concept, item.value, item.unit) for item in found.unused] == [
        ("99X:1", "12", "mGy")
    ]


def totals(*administered: nuclear.Administered) -> dict:
    return totals_of_study(
        "NM", [], read(nuclear.radiopharmaceutical_report(administered)).events, False
    )


def test_activities_of_one_radionuclide_are_added() -> None:
    found = totals(FDG, nuclear.administered_at(FDG, datetime(2025, 3, 14, 12), 100.2))
    assert found == {
        "number_of_events": 2,
        "radiopharmaceuticals": "Fluorodeoxyglucose F^18^",
        "radionuclides": "^18^Fluorine",
        "administered_activity_total": 321.8,
    }


def test_activities_of_different_radionuclides_are_not_added() -> None:
    gallium, iodine = (
        replace(
            FDG, given=replace(given, agent=Concept(given.agent_text, given.agent_text, "99SAMPLE"))
        )
        for given in (GALLIUM_DOTATATE, IODIDE)
    )
    found = totals(FDG, gallium, iodine)
    assert found.get("administered_activity_total") is None
    assert [(m["field"], m["mark"]) for m in found["marks"]] == [
        ("administered_activity_total", "several_radionuclides")
    ]
    assert found["radionuclides"] == "^18^Fluorine; ^68^Gallium; ^131^Iodine"


def test_a_part_of_the_activity_is_no_total() -> None:
    found = totals(FDG, replace(FDG, given=replace(FDG.given, activity=None)))
    assert found.get("administered_activity_total") is None
    assert [m["mark"] for m in found["marks"]] == ["incomplete"]


def test_effective_doses_of_all_administrations_are_added() -> None:
    both = totals(replace(FDG, effective_dose=4.2), replace(BONE, effective_dose=3.1))
    assert both["effective_dose_total"] == 7.3
    assert {"field": "effective_dose_total", "mark": "computed", "raw": None} in both["marks"]
    assert totals(replace(FDG, effective_dose=4.2), BONE).get("effective_dose_total") is None


def test_made_up_studies_of_nuclear_medicine_say_what_they_hold(tmp_path: Path) -> None:
    for sample in make_studies(12, seed=4, kinds=("nm",)):
        path = tmp_path / "study.dcm"
        path.write_bytes(as_bytes(sample.datasets[0]))
        check_numbers(path)
        found = read(sample.datasets[0])
        assert (
            found.events[0]["administered_activity"] == sample.totals["administered_activity_total"]
        )
        assert found.study["study_instance_uid"] == sample.study_instance_uid


def test_nuclear_medicine_does_not_change_the_mixture_of_a_seed() -> None:
    assert {sample.kind for sample in make_studies(60, seed=4)} == {"ct", "rf", "dx", "mg"}
