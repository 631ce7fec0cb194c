"""Any number of synthetic studies, the same for the same seed on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.catalogue import (
    CT_EXAMS,
    DX_EXAMS,
    FEMALE,
    NAMES,
    RF_EXAMS,
    CtExam,
    systems,
)
from orthanc_dose.samples.ct import (
    CtEvent,
    DoseCheck,
    SizeSpecific,
    Source,
    ct_report,
    localizer,
    total_dlp,
)
from orthanc_dose.samples.document import Patient, Study, System, age_string, amount, uid
from orthanc_dose.samples.nuclear import (
    BONE_GIVEN,
    BONE_STUDY,
    FDG_GIVEN,
    PET_OF_TUMOR,
    PatientState,
    administered_at,
    radiopharmaceutical_report,
)
from orthanc_dose.samples.nuclear import systems as nuclear_systems
from orthanc_dose.samples.projection import Totals, totals_of
from orthanc_dose.samples.projection_reports import (
    fluoroscopy_events,
    fluoroscopy_report,
    mammography_events,
    mammography_report,
    mammography_totals,
    radiography_events,
    radiography_report,
    radiography_totals,
)
from orthanc_dose.samples.sr import Spelling

KINDS = ("ct", "rf", "dx", "mg")
# The kinds that can be requested by name; the mix of the others stays the same for a given seed.
ALL_KINDS = (*KINDS, "nm")
UNTIL = date(2025, 6, 30)

# Relative number of studies by month: fewer in the summer holidays and at the end of the year.
_MONTHS = (104, 100, 108, 98, 102, 99, 82, 80, 104, 108, 106, 84)
_WEEKDAYS = (20, 20, 19, 20, 17, 6, 5)
_HOURS = (1, 1, 1, 1, 1, 1, 2, 5, 11, 13, 13, 11, 8, 11, 12, 10, 7, 4, 3, 2, 2, 2, 1, 1)
_MIX = {"ct": 45, "dx": 30, "rf": 15, "mg": 10, "nm": 8}


@dataclass
class SampleStudy:
    """One synthetic study and what a reader of it must find.

    totals: the totals as the object gives them, in canonical units (mGy.cm, Gy.m2, Gy, s, mGy),
    None if it does not give them. sums: the same names computed from the events, None if the events
    do not give the value. Names: dlp_total; dap_total, rp_dose_total, fluoro_time_total (for two
    planes each of them twice: dap_total_a, dap_total_b and so on); agd_right, agd_left;
    administered_activity_total (MBq)."""

    index: int
    kind: str
    vendor: str
    study_instance_uid: str
    accession_number: str
    started: datetime
    description: str
    patient: Patient
    system: System
    events: int
    totals: dict[str, float | None]
    sums: dict[str, float | None]
    datasets: list[Dataset] = field(default_factory=list)


def make_studies(
    n: int, seed: int = 1, kinds: Sequence[str] = KINDS, *, until: date = UNTIL, days: int = 730
) -> Iterator[SampleStudy]:
    """Yield `n` studies within `days` up to and including `until`; study number i does not depend
    on `n`. Raises ValueError if a kind is unknown or none is given.
    """
    unknown = sorted(set(kinds) - set(ALL_KINDS))
    if unknown or not kinds:
        raise ValueError(
            f"kinds must be some of {', '.join(ALL_KINDS)}; unknown: "
            f"{', '.join(unknown) or '(none given)'}"
        )
    installed = {kind: nuclear_systems() if kind == "nm" else systems(kind) for kind in kinds}
    weights = [_MIX[kind] for kind in kinds]
    for index in range(n):
        rng = Random(f"study|{seed}|{index}")
        kind = rng.choices(kinds, weights)[0]
        system = rng.choice(installed[kind])
        started = _when(rng, until, days, kind)
        # Fewer patients than studies, so that some have a history.
        patient = _patient(seed, rng.randrange(index * 5 // 8 + 3), started.date(), system, kind)
        key = f"{seed}|{index}"
        study = Study(
            instance_uid=uid("study", key),
            started=started,
            accession_number=f"ACC{seed % 100:02d}{index:07d}",
            study_id=str(index + 1),
            referring=f"Referrer^Sample{rng.randint(1, 30)}",
            performing=f"Performer^Sample{rng.randint(1, 12)}",
            operators=f"Operator^Sample{rng.randint(1, 25)}",
        )
        yield _MAKERS[kind](index, key, rng, patient, study, system)


def _when(rng: Random, until: date, days: int, kind: str) -> datetime:
    while True:
        day = until - timedelta(days=rng.randrange(days))
        emergency = kind in ("ct", "dx") and rng.random() < 0.2
        share = _MONTHS[day.month - 1] * (20 if emergency else _WEEKDAYS[day.weekday()])
        if rng.random() * 108 * 20 < share:
            break
    hour = rng.randrange(24) if emergency else rng.choices(range(24), _HOURS)[0]
    return datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60))


def _patient(seed: int, number: int, on: date, system: System, kind: str) -> Patient:
    """Return patient `number`, with a name in characters that the system can write; the identity is
    the same everywhere.
    """
    rng = Random(f"patient|{seed}|{number}")
    plain = rng.choice(NAMES[""])
    local = list(NAMES.get(system.vendor.character_set, ()))
    chosen = rng.choice(local) if local and rng.random() < 0.5 else plain
    child = rng.random() < 0.06
    years = rng.uniform(0.2, 16) if child else min(97.0, max(18.0, rng.gauss(58, 18)))
    female = kind == "mg" or (plain in FEMALE)
    birth = date(2024, 1, 1) - timedelta(days=int(years * 365.25))
    if birth > on:
        birth = on - timedelta(days=40)
    now = (on - birth).days / 365.25
    adult = rng.gauss(1.66 if female else 1.79, 0.07)
    size = round(adult if now >= 17 else 0.5 + (adult - 0.5) * (now / 17) ** 0.7, 2)
    weight = round(
        max(3.0, size * size * (rng.gauss(26, 4) if now >= 17 else rng.gauss(17, 1.5))), 1
    )
    if rng.random() < 0.12:
        size = weight = None
    elif rng.random() < 0.03:
        size = weight = 0.0
    return Patient(
        f"Sample^{chosen}",
        f"SAMPLE-{number:06d}",
        f"{birth:%Y%m%d}",
        "F" if female else "M",
        age_string(birth, on),
        size,
        weight,
    )


def _written(spelling: Spelling, concept: c.Concept, value: float | None) -> float | None:
    """Return what the object gives as a total: value, 0 or None, by the manufacturer's habits."""
    if value is None or concept.value in spelling.omitted | spelling.empty:
        return None
    return 0.0 if concept.value in spelling.zero else value


def _ct(
    index: int, key: str, rng: Random, patient: Patient, study: Study, system: System
) -> SampleStudy:
    exam = rng.choices(CT_EXAMS, [e.weight for e in CT_EXAMS])[0]
    study.description, study.protocol, study.requested_procedure = (
        exam.description,
        exam.protocol,
        exam.requested,
    )
    study.procedure_code = (exam.protocol.upper().replace(" ", "")[:16], "99SAMPLE", exam.requested)
    size = (amount(patient.weight) / 75) ** 0.8 if patient.weight else 1.0
    events, when = [], study.started
    for number in range(1 + rng.choice(exam.spirals)):
        when += timedelta(seconds=rng.randint(20, 140), microseconds=rng.randrange(1_000_000))
        event = CtEvent(
            protocol=exam.protocol,
            region=exam.region,
            uid=uid("event", key, number),
            started=when,
            label=str(number + 1),
            phantom=exam.phantom,
        )
        events.append(
            _localizer(event, rng) if number == 0 else _spiral(event, exam, size, number, rng)
        )
    dlp = total_dlp(events)
    ds = ct_report(
        events,
        patient=patient,
        study=study,
        system=system,
        key=key,
        participants=rng.random() < 0.3,
    )
    return _study(
        index,
        "ct",
        study,
        patient,
        system,
        len(events),
        {"dlp_total": _written(system.vendor.spelling, c.DLP_TOTAL, dlp)},
        {"dlp_total": dlp},
        ds,
    )


def _localizer(event: CtEvent, rng: Random) -> CtEvent:
    event = localizer(event)
    event.ctdi = round(rng.uniform(0.05, 0.2), 2)
    event.dlp = round(event.ctdi * amount(event.scanning_length) / 10, 2)
    return event


def _spiral(event: CtEvent, exam: CtExam, size: float, number: int, rng: Random) -> CtEvent:
    event.ctdi = round(exam.ctdi * size * rng.lognormvariate(0, 0.28), 2)
    event.scanning_length = round(exam.length * rng.uniform(0.85, 1.2), 1)
    event.dlp = round(event.ctdi * event.scanning_length / 10, 2)
    event.pitch = round(rng.choice((0.55, 0.8, 0.984, 1.2, 1.375)), 3)
    event.context = v.WITHOUT_CONTRAST if number == 1 and rng.random() < 0.4 else v.WITH_CONTRAST
    kvp, current = rng.choice((80, 100, 120, 120, 140)), round(rng.uniform(60, 420), 0)
    event.sources = [
        Source(
            kvp=kvp,
            current=current,
            maximum_current=round(current * 1.6),
            rotation_time=rng.choice((0.28, 0.5, 0.75)),
        )
    ]
    if rng.random() < 0.08:
        event.sources.append(Source("B", 140, round(current * 0.9), round(current * 0.6), 0.28))
    event.exposure_time = round(rng.uniform(2, 11), 2)
    event.modulation = rng.choice(("XYZ_EC", "Z_EC", "NONE"))
    if rng.random() < 0.1:
        event.notification = DoseCheck(
            ctdi=round(event.ctdi * 0.9, 1), ctdi_estimate=event.ctdi, reason="Large patient"
        )
    if rng.random() < 0.15 and exam.phantom == v.BODY_PHANTOM:
        diameter = round(rng.uniform(220, 360))
        event.ssde = [
            SizeSpecific(
                round(event.ctdi * 3.7 * 2.718281828 ** (-0.00367 * diameter), 2),
                water_diameter=diameter,
            )
        ]
    return event


def _rf(
    index: int, key: str, rng: Random, patient: Patient, study: Study, system: System
) -> SampleStudy:
    exam = rng.choices(RF_EXAMS, [e.weight for e in RF_EXAMS])[0]
    study.description, study.requested_procedure = exam.description, exam.requested
    biplane = rng.random() < exam.biplane
    events = fluoroscopy_events(
        rng.randint(exam.fewest, exam.most),
        rng.randrange(10**9),
        study.started,
        key,
        system.vendor,
        planes=(v.PLANE_A, v.PLANE_B) if biplane else (v.SINGLE_PLANE,),
        pulse_level=rng.random() < 0.05,
        scale=exam.scale * rng.lognormvariate(0, 0.4),
    )
    ds = fluoroscopy_report(events, patient=patient, study=study, system=system, key=key)
    sums, written = {}, {}
    for plane in dict.fromkeys(e.plane for e in events):
        totals, suffix = totals_of(events, plane), {v.PLANE_A: "_a", v.PLANE_B: "_b"}.get(plane, "")
        for name, concept, single, value in (
            ("dap_total", c.DAP_TOTAL, c.DAP, totals.dap),
            ("rp_dose_total", c.RP_TOTAL, c.RP_DOSE, totals.rp_dose),
            ("fluoro_time_total", c.FLUORO_TIME, c.DURATION, totals.fluoro_time),
        ):
            sums[name + suffix] = _written(system.vendor.spelling, single, value)
            written[name + suffix] = _written(system.vendor.spelling, concept, value)
    return _study(index, "rf", study, patient, system, len(events), written, sums, ds)


def _dx(
    index: int, key: str, rng: Random, patient: Patient, study: Study, system: System
) -> SampleStudy:
    exam = rng.choices(DX_EXAMS, [e.weight for e in DX_EXAMS])[0]
    study.description, study.requested_procedure = exam.description, exam.requested
    count = len(exam.exposures) + (rng.random() < 0.06)
    events = radiography_events(count, rng.randrange(10**9), study.started, key, exam.exposures)
    ds = radiography_report(events, patient=patient, study=study, system=system, key=key)
    totals = radiography_totals(events)
    spelling = system.vendor.spelling
    sums = {
        "dap_total": _written(spelling, c.DAP, totals.dap),
        "rp_dose_total": _written(spelling, c.RP_DOSE, totals.rp_dose),
    }
    return _study(
        index,
        "dx",
        study,
        patient,
        system,
        count,
        {
            "dap_total": _written(spelling, c.DAP_TOTAL, totals.dap),
            "rp_dose_total": _written(spelling, c.RP_TOTAL, totals.rp_dose),
        },
        sums,
        ds,
    )


def _mg(
    index: int, key: str, rng: Random, patient: Patient, study: Study, system: System
) -> SampleStudy:
    screening = rng.random() < 0.7
    study.description = "Screening mammography" if screening else "Diagnostic mammography"
    study.requested_procedure = "Bilateral mammography"
    tomosynthesis = rng.random() < 0.3
    count = 4 if screening else rng.choice((2, 4, 5, 6))
    events = mammography_events(
        count, rng.randrange(10**9), study.started, key, tomosynthesis=tomosynthesis
    )
    ds = mammography_report(
        events, patient=patient, study=study, system=system, key=key, screening=screening
    )
    totals: Totals = mammography_totals(events)
    sums: dict[str, float | None] = {
        "agd_right": totals.agd[v.RIGHT_BREAST],
        "agd_left": totals.agd[v.LEFT_BREAST],
    }
    return _study(index, "mg", study, patient, system, count, dict(sums), sums, ds)


def _nm(
    index: int, key: str, rng: Random, patient: Patient, study: Study, system: System
) -> SampleStudy:
    pet = rng.random() < 0.6
    study.description = "PET/CT whole body FDG" if pet else "NM bone scan"
    study.requested_procedure = study.description
    heavy = (amount(patient.weight) or 75) / 75
    activity = round((230 if pet else 620) * heavy * rng.uniform(0.9, 1.1), 1)
    given = administered_at(
        FDG_GIVEN if pet else BONE_GIVEN,
        study.started - timedelta(minutes=rng.randint(55, 180)),
        activity,
    )
    ds = radiopharmaceutical_report(
        [given],
        patient=patient,
        study=study,
        system=system,
        vendor=system.vendor,
        key=key,
        procedure=PET_OF_TUMOR if pet else BONE_STUDY,
        state=PatientState(
            height=round(amount(patient.size) * 100, 1) if patient.size else None,
            weight=amount(patient.weight) or None,
        ),
    )
    total: dict[str, float | None] = {"administered_activity_total": activity}
    return _study(index, "nm", study, patient, system, 1, total, dict(total), ds)


def _study(
    index: int,
    kind: str,
    study: Study,
    patient: Patient,
    system: System,
    events: int,
    totals: dict[str, float | None],
    sums: dict[str, float | None],
    ds: Dataset,
) -> SampleStudy:
    return SampleStudy(
        index,
        kind,
        system.vendor.key,
        study.instance_uid or "",
        study.accession_number,
        study.started,
        study.description,
        patient,
        system,
        events,
        totals,
        sums,
        [ds],
    )


_MAKERS = {"ct": _ct, "rf": _rf, "dx": _dx, "mg": _mg, "nm": _nm}
