"""Radiopharmaceutical dose reports: PS3.16 TID 10021 with 10022, 10023 and 10024."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import Patient, Study, System, document, moment, person, uid
from orthanc_dose.samples.image_nuclear import BONE, Administration
from orthanc_dose.samples.sr import (
    CONTAINS,
    CONTEXT,
    INFERRED,
    MODIFIER,
    PROPERTIES,
    Item,
    Spelling,
    code,
    container,
    datetime_item,
    num,
    optional,
    text,
    uidref,
)
from orthanc_dose.samples.vendors import ENHANCED_SR, Vendor

RADIOPHARMACEUTICAL_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.68"

_REPORT = Concept("113500", "Radiopharmaceutical Radiation Dose Report")
_PROCEDURE = Concept("363589002", "Associated Procedure", "SCT", "G-C2D0")
_ADMINISTRATION = Concept("113502", "Radiopharmaceutical Administration")
_AGENT = Concept("349358000", "Radiopharmaceutical agent", "SCT", "F-61FDB")
_NUCLIDE = Concept("89457008", "Radionuclide", "SCT", "C-10072")
_HALF_LIFE = Concept("304283002", "Radionuclide Half Life", "SCT", "R-42806", "s")
_SPECIFIC_ACTIVITY = Concept("123007", "Radiopharmaceutical Specific Activity", unit="Bq/mmol")
_EVENT_UID = Concept("113503", "Radiopharmaceutical Administration Event UID")
_SYMPTOM = Concept("113505", "Intravenous Extravasation Symptoms")
_EXTRAVASATION = Concept("113506", "Estimated Extravasation Activity", unit="%")
_START = Concept("123003", "Radiopharmaceutical Start DateTime")
_STOP = Concept("123004", "Radiopharmaceutical Stop DateTime")
_ACTIVITY = Concept("113507", "Administered activity", unit="MBq")
_VOLUME = Concept("123005", "Radiopharmaceutical Volume", unit="cm3")
_BEFORE = Concept("113508", "Pre-Administration Measured Activity", unit="MBq")
_AFTER = Concept("113509", "Post-Administration Measured Activity", unit="MBq")
_MEASURED_WITH = Concept("113540", "Activity Measurement Device")
_ORGAN = Concept("113517", "Organ Dose Information")
_SITE = Concept("363698007", "Finding Site", "SCT", "G-C0E3")
_LATERALITY = Concept("272741003", "Laterality", "SCT", "G-C171")
_MASS = Concept("118538004", "Mass", "SCT", "G-D701", "g")
_METHOD = Concept("370129005", "Measurement Method", "SCT", "G-C036")
_ORGAN_DOSE = Concept("113518", "Organ Dose", unit="mGy")
_AUTHORITY = Concept("121406", "Reference Authority")
_EFFECTIVE_CONTAINER = Concept("220001", "Effective Dose Information", "99SHS")
_EFFECTIVE = Concept("113839", "Effective Dose", unit="mSv")
_ROUTE = Concept("410675002", "Route of administration", "SCT", "G-C340")
_ROUTE_SITE = Concept("272737002", "Site of", "SCT", "G-C581")
_BILLING, _PRODUCT = (
    Concept("121147", "Billing Code(s)"),
    Concept("113510", "Drug Product Identifier"),
)
_BRAND = Concept("111529", "Brand Name")
_DISPENSED = Concept("113511", "Radiopharmaceutical Dispense Unit Identifier")
_LOT, _VIAL = (
    Concept("113512", "Radiopharmaceutical Lot Identifier"),
    Concept("113513", "Reagent Vial Identifier"),
)
_NUCLIDE_ID, _PRESCRIPTION = (
    Concept("113514", "Radionuclide Identifier"),
    Concept("113516", "Prescription Identifier"),
)
_PATIENT, _STATE = Concept("121118", "Patient Characteristics"), Concept("109054", "Patient state")
_AGE, _SEX = Concept("121033", "Subject Age", unit="a"), Concept("121032", "Subject Sex")
_HEIGHT, _WEIGHT = (
    Concept("8302-2", "Patient Height", "LN", "", "cm"),
    Concept("29463-7", "Patient Weight", "LN", "", "kg"),
)
_SURFACE = Concept("8277-6", "Body Surface Area", "LN", "", "m2")
_SURFACE_FORMULA = Concept("8278-4", "Body Surface Area Formula", "LN")
_BMI = Concept("60621009", "Body Mass Index", "SCT", "F-01860", "kg/m2")
_EQUATION = Concept("121420", "Equation")
_GLUCOSE = Concept("14749-6", "Glucose", "LN", "", "mmol/l")
_FASTING, _HYDRATION = (
    Concept("113550", "Fasting Duration", unit="h"),
    Concept("113551", "Hydration Volume", unit="ml"),
)
_EXERCISE = Concept("113552", "Recent Physical Activity")
_CREATININE = Concept("2160-0", "Serum Creatinine", "LN", "", "mg/dl")
_FILTRATION = Concept(
    "80274001", "Glomerular Filtration Rate", "SCT", "F-70210", "ml/min/{1.73_m2}"
)
_EQUIVALENT = Concept("121050", "Equivalent meaning of concept name")

# CID 3108, 10040, 10041, 10043 to 10047, 244, 3663, 3746, 7455
PET_OF_TUMOR = Concept("241443006", "PET study for localization of tumor", "SCT", "P5-D1100")
BONE_STUDY = Concept("373638003", "Radioisotope study of musculoskeletal system", "SCT")
DOSE_CALIBRATOR, INFUSION_SYSTEM = (
    Concept("113541", "Dose Calibrator"),
    Concept("113542", "Infusion System"),
)
ICRP_80, PACKAGE_INSERT = (
    Concept("113522", "ICRP Publication 80"),
    Concept("113528", "Package Insert"),
)
BLADDER, BRAIN = Concept("89837001", "Bladder", "SCT"), Concept("12738006", "Brain", "SCT")
KIDNEY, BONE_SURFACE = (
    Concept("64033007", "Kidney", "SCT"),
    Concept("425647002", "Bone Surface", "SCT"),
)
BILATERAL = Concept("51440002", "Bilateral", "SCT", "G-A102")
VEIN = Concept("103386002", "Via vein", "SCT")
INJECTION_PAIN = Concept("95388000", "Injection site pain", "SCT")
RESTING = Concept("128975004", "Resting State", "SCT", "F-01604")
JAUNDICED = Concept("113563", "Severely Jaundiced")
FEMALE = Concept("F", "Female")
DU_BOIS = Concept("122241", "BSA = 0.007184*WT^0.425*HT^0.725")
BMI_EQUATION = Concept("122265", "BMI = Wt/Ht^2")
CKD_EPI = Concept("62238-1", "CKD-EPI Formula estimation of GFR", "LN")
CKD_EPI_METHOD = Concept("113571", "CKD-EPI Formula estimation of GFR")


@dataclass(frozen=True)
class OrganDose:
    """A dose to an organ (TID 10023) in mGy; mass in g; the authority is a code or a text."""

    site: Concept
    dose: float | None
    laterality: Concept | None = None
    mass: float | None = None
    mass_method: str = "Standard tables"
    authority: Concept | str | None = "ICRP Publication 128"


@dataclass(frozen=True)
class Administered:
    """An administration as a report gives it (TID 10022); `given` holds what images give too. MBq,
    %, mSv, Bq/mmol.
    """

    given: Administration = Administration()
    before: float | None = None
    after: float | None = None
    measured_with: Concept = DOSE_CALIBRATOR
    specific_activity: float | None = None
    extravasation: float | None = None
    symptoms: Sequence[Concept] = ()
    organ_doses: Sequence[OrganDose] = ()
    effective_dose: float | None = None
    effective_unit: str | None = None
    site: Concept | None = None
    laterality: Concept | None = None
    person: str = ""
    billing: Sequence[Concept] = ()
    products: Sequence[Concept] = ()
    brand: str = ""
    dispense_unit: str = ""
    lots: Sequence[str] = ()
    vials: Sequence[str] = ()
    radionuclides: Sequence[str] = ()
    prescription: str = ""
    comment: str = ""


FDG_GIVEN = Administered(
    organ_doses=(
        OrganDose(BLADDER, 28.81),
        OrganDose(BRAIN, 8.42),
        OrganDose(KIDNEY, 3.77, BILATERAL),
    ),
    site=VEIN,
)
BONE_GIVEN = Administered(
    BONE, before=625, after=12.5, organ_doses=(OrganDose(BONE_SURFACE, 38.6, authority=ICRP_80),)
)


@dataclass(frozen=True)
class PatientState:
    """The patient at the administration (TID 10024): a, cm, kg, m2, kg/m2, mmol/l, h, ml, mg/dl,
    ml/min/1.73 m2. `units` replaces units of the template, by concept code; the number is written
    as given."""

    states: Sequence[Concept] = ()
    age: float | None = 55
    sex: Concept | None = FEMALE
    height: float | None = 168
    weight: float | None = 71
    surface: float | None = None
    body_mass_index: float | None = None
    glucose: float | None = None
    fasting: float | None = None
    hydration: float | None = None
    exercise: str = ""
    creatinine: float | None = None
    filtration_rates: Sequence[float] = ()
    units: dict[str, str] = field(default_factory=dict)


def _vendor(key: str, manufacturer: str, model: str, software: str, **more: Any) -> Vendor:
    sop_class = more.pop("sop_class", RADIOPHARMACEUTICAL_DOSE_SR)
    return Vendor(
        key,
        manufacturer,
        model,
        software,
        ("nm",),
        Spelling(**{"character_set": "ISO_IR 100", **more}),
        sop_class=sop_class,
    )


# Siemens writes the height in m (quirk 14) and an effective dose in a container of its own (quirk
# 4).
REPORTERS: dict[str, Vendor] = {
    "standard": _vendor(
        "standard-nm", "Sample Devices", "Reference NM", "1.0", character_set="ISO_IR 192"
    ),
    "siemens": _vendor(
        "siemens-rrdsr", "SIEMENS", "Biograph64_mCT", "VG80B", units={"cm": ("m", 0.01)}
    ),
    "ge": _vendor("ge-rrdsr", "GE MEDICAL SYSTEMS", "Discovery MI", "4.0", scheme="SRT"),
    "spectrum": _vendor("spectrum-rrdsr", "Spectrum Dynamics Medical", "VERITON-CT", "2.6"),
    "enhanced-sr": _vendor(
        "enhanced-rrdsr", "Sample Devices", "Reference NM", "1.0", sop_class=ENHANCED_SR
    ),
}


def radiopharmaceutical_report(
    administrations: Sequence[Administered] = (FDG_GIVEN,),
    *,
    vendor: str | Vendor = "standard",
    seed: int = 1,
    key: str = "",
    state: PatientState | None = None,
    procedure: Concept = PET_OF_TUMOR,
    comment: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    extra: Sequence[Item] = (),
) -> Dataset:
    """Return a Radiopharmaceutical Radiation Dose Report; `vendor` is a key of `REPORTERS`.

    An administration without `given.event_uid` gets one; any other None in `given` is not written.
    state: TID 10024."""
    made = REPORTERS[vendor] if isinstance(vendor, str) else vendor
    system = system or System(vendor=made, department="Nuclear medicine", station="NM1")
    key = key or f"nm|{made.key}|{seed}"
    study = study or Study(description="PET/CT whole body FDG")
    if study.instance_uid == "":
        study.instance_uid = uid(key, "study")
    root = container(
        _REPORT,
        code(
            _PROCEDURE,
            procedure,
            code(c.HAS_INTENT, v.DIAGNOSTIC, relationship=MODIFIER),
            relationship=MODIFIER,
        ),
        *[
            _administration(each, system, event_uid(key, n, each))
            for n, each in enumerate(administrations)
        ],
        _patient(state) if state else None,
        text(c.COMMENT, comment) if comment else None,
        *extra,
        template="10021",
    )
    return document(
        root,
        patient or Patient(),
        study,
        system,
        key=key,
        series_description="Dose Report",
        sop_class=made.sop_class,
    )


def event_uid(key: str, number: int, administered: Administered) -> str:
    """Return the UID of administration `number` (from 0) of the report with this key."""
    return administered.given.event_uid or uid(key, "administration", number)


def administered_at(administered: Administered, started: datetime, activity: float) -> Administered:
    """Return the same agent given at another time, within one minute, with another activity
    (MBq). The activity measured before it is in accordance."""
    given = replace(
        administered.given,
        started=started,
        stopped=started + timedelta(minutes=1),
        activity=activity,
    )
    before = administered.before and round(activity + (administered.after or 0), 1)
    return replace(administered, given=given, before=before)


def systems() -> list[System]:
    """Return systems of nuclear medicine for `studies.make_studies`, always in the same order."""
    return [
        System(
            vendor=made,
            institution="Sample General Hospital",
            department="Nuclear medicine",
            station=f"GENNM{number}",
            serial=f"GEN-NM-{number:03d}",
            location=f"NM room {number}",
        )
        for number, made in enumerate(REPORTERS.values(), 1)
    ]


def _texts(concept: Concept, values: Sequence[str]) -> list[Item]:
    return [text(concept, value) for value in values]


def _codes(concept: Concept, values: Sequence[Concept]) -> list[Item]:
    return [code(concept, value) for value in values]


def _measured(concept: Concept, value: float | None, device: Concept) -> Item | None:
    return (
        None
        if value is None
        else num(concept, value, code(_MEASURED_WITH, device, relationship=CONTEXT))
    )


def _administration(a: Administered, system: System, administration_uid: str) -> Item:
    given, vendor = a.given, system.vendor
    properties = [code(_NUCLIDE, given.nuclide, relationship=PROPERTIES)] if given.nuclide else []
    if given.half_life is not None:
        properties.append(num(_HALF_LIFE, given.half_life, relationship=PROPERTIES))
    site = (
        code(
            _ROUTE_SITE,
            a.site,
            code(_LATERALITY, a.laterality, relationship=MODIFIER) if a.laterality else None,
            relationship=PROPERTIES,
        )
        if a.site
        else None
    )
    effective = (
        None
        if a.effective_dose is None
        else container(
            _EFFECTIVE_CONTAINER,
            num(
                _EFFECTIVE,
                a.effective_dose,
                text(_AUTHORITY, "ICRP Publication 128", relationship=PROPERTIES),
                ucum=a.effective_unit,
            ),
        )
    )
    dispensed = (
        text(
            _DISPENSED,
            a.dispense_unit,
            *_texts(_LOT, a.lots),
            *_texts(_VIAL, a.vials),
            *_texts(_NUCLIDE_ID, a.radionuclides),
        )
        if a.dispense_unit
        else None
    )
    return container(
        _ADMINISTRATION,
        code(_AGENT, given.agent, *properties) if given.agent else None,
        optional(num, _SPECIFIC_ACTIVITY, a.specific_activity),
        uidref(_EVENT_UID, administration_uid),
        *_codes(_SYMPTOM, a.symptoms),
        optional(num, _EXTRAVASATION, a.extravasation),
        datetime_item(_START, moment(given.started, vendor)) if given.started else None,
        datetime_item(_STOP, moment(given.stopped, vendor)) if given.stopped else None,
        optional(num, _ACTIVITY, given.activity),
        optional(num, _VOLUME, given.volume),
        _measured(_BEFORE, a.before, a.measured_with),
        _measured(_AFTER, a.after, a.measured_with),
        *[_organ(each) for each in a.organ_doses],
        effective,
        code(_ROUTE, given.route, site) if given.route else None,
        person(a.person, v.ADMINISTERING, system, v.TECHNOLOGIST) if a.person else None,
        *_codes(_BILLING, a.billing),
        *_codes(_PRODUCT, a.products),
        text(_BRAND, a.brand) if a.brand else None,
        dispensed,
        text(_PRESCRIPTION, a.prescription) if a.prescription else None,
        text(c.COMMENT, a.comment) if a.comment else None,
    )


def _organ(each: OrganDose) -> Item:
    authority = (
        []
        if each.authority is None
        else [
            text(_AUTHORITY, each.authority, relationship=PROPERTIES)
            if isinstance(each.authority, str)
            else code(_AUTHORITY, each.authority, relationship=PROPERTIES)
        ]
    )
    return container(
        _ORGAN,
        code(_SITE, each.site, relationship=MODIFIER),
        code(_LATERALITY, each.laterality, relationship=MODIFIER) if each.laterality else None,
        None
        if each.mass is None
        else num(_MASS, each.mass, text(_METHOD, each.mass_method, relationship=MODIFIER)),
        num(_ORGAN_DOSE, each.dose, *authority),
        relationship=CONTAINS,
    )


def _patient(s: PatientState) -> Item:
    def number(concept: Concept, value: float | None, *children: Item) -> Item | None:
        return (
            None
            if value is None
            else num(concept, value, *children, ucum=s.units.get(concept.value))
        )

    rates = [
        number(
            _FILTRATION,
            rate,
            code(_METHOD, CKD_EPI_METHOD, relationship=MODIFIER),
            code(_EQUIVALENT, CKD_EPI, relationship=MODIFIER),
        )
        for rate in s.filtration_rates
    ]
    return container(
        _PATIENT,
        *_codes(_STATE, s.states),
        number(_AGE, s.age),
        code(_SEX, s.sex) if s.sex else None,
        number(_HEIGHT, s.height),
        number(_WEIGHT, s.weight),
        number(_SURFACE, s.surface, code(_SURFACE_FORMULA, DU_BOIS, relationship=INFERRED)),
        number(_BMI, s.body_mass_index, code(_EQUATION, BMI_EQUATION, relationship=INFERRED)),
        number(_GLUCOSE, s.glucose),
        number(_FASTING, s.fasting),
        number(_HYDRATION, s.hydration),
        text(_EXERCISE, s.exercise) if s.exercise else None,
        number(_CREATININE, s.creatinine),
        *rates,
    )
