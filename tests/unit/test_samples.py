"""The makers of test objects: the same seed gives the same bytes, and what they say is valid is
valid.
"""

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import date
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

import orthanc_dose
from orthanc_dose import samples
from orthanc_dose.samples import codes as c
from orthanc_dose.samples import command, part10
from orthanc_dose.samples import values as v
from orthanc_dose.samples.ct import CtEvent, DoseCheck, SizeSpecific, Source
from orthanc_dose.samples.hostile import FATAL, HOSTILE, STORABLE
from orthanc_dose.samples.projection import Filter, ProjectionEvent
from orthanc_dose.samples.sr import num

EVENT_CODES = {c.CT_ACQUISITION.value, c.EVENT.value}
UNIT_FACTORS = {"dGy.cm2": 1e-5, "Gym2": 1, "Gy.m2": 1, "mGy.cm": 1, "mGycm": 1, "s": 1, "Gy": 1}


def tool(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} of dcmtk is needed: apt-get install dcmtk"
    return found


def reread(ds: pydicom.Dataset) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(part10(ds)))


def name_of(item: pydicom.Dataset) -> str:
    return item.ConceptNameCodeSequence[0].CodeValue


def below(ds: pydicom.Dataset, code: str) -> list[pydicom.Dataset]:
    return [i for i in ds.get("ContentSequence", []) if name_of(i) == code]


def number(item: pydicom.Dataset) -> float | None:
    """The value of a NUM in the unit of the standard, None where it is empty."""
    if not item.MeasuredValueSequence:
        return None
    measured = item.MeasuredValueSequence[0]
    unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
    factor = UNIT_FACTORS.get(unit, 1)
    if unit == "mGy" and name_of(item) in (c.RP_TOTAL.value, c.RP_DOSE.value):
        factor = 1e-3
    return float(measured.NumericValue) * factor


def one(ds: pydicom.Dataset, concept: c.Concept) -> float | None:
    found = below(ds, concept.value)
    assert len(found) <= 1
    return number(found[0]) if found else None


def plane_of(item: pydicom.Dataset) -> str:
    plane = below(item, c.PLANE.value)[0].ConceptCodeSequence[0].CodeValue
    return {v.PLANE_A.value: "_a", v.PLANE_B.value: "_b"}.get(plane, "")


def side_of(item: pydicom.Dataset) -> str:
    value = item.ContentSequence[0].ConceptCodeSequence[0].CodeValue
    return (
        "agd_left"
        if value in (v.LEFT.value, v.LEFT.srt, v.LEFT_BREAST.value, v.LEFT_BREAST.srt)
        else "agd_right"
    )


def total(values: list[float | None]) -> float | None:
    """The sum of the values that are given, None where there is none."""
    given = [x for x in values if x is not None]
    return sum(given) if given else None


def read_back(
    kind: str, ds: pydicom.Dataset
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Totals as the object gives them, and the sums of its events, under the names of
    `SampleStudy`.
    """
    totals: dict[str, float | None] = {}
    events = below(ds, c.EVENT.value)
    if kind == "ct":
        totals["dlp_total"] = one(below(ds, c.CT_ACCUMULATED.value)[0], c.DLP_TOTAL)
        doses = [d for e in below(ds, c.CT_ACQUISITION.value) for d in below(e, c.CT_DOSE.value)]
        return totals, {"dlp_total": total([one(d, c.DLP) for d in doses])}
    if kind == "mg":
        for accumulated in below(ds, c.ACCUMULATED.value):
            totals |= {side_of(i): number(i) for i in below(accumulated, c.AGD_TOTAL.value)}
        sides = [side_of((below(e, c.ANATOMY.value) or below(e, c.ANATOMY.srt))[0]) for e in events]
        return totals, {
            side: total([one(e, c.AGD) for e, s in zip(events, sides, strict=True) if s == side])
            for side in set(sides)
        }
    names = {"dap_total": (c.DAP_TOTAL, c.DAP), "rp_dose_total": (c.RP_TOTAL, c.RP_DOSE)}
    if kind == "rf":
        names["fluoro_time_total"] = (c.FLUORO_TIME, c.DURATION)
    sums = {}
    for name, (whole, single) in names.items():
        for accumulated in below(ds, c.ACCUMULATED.value):
            plane = plane_of(accumulated)
            totals[name + plane] = one(accumulated, whole)
            sums[name + plane] = total(
                [
                    one(e, single)
                    for e in events
                    if plane_of(e) == plane and (name != "fluoro_time_total" or is_fluoroscopy(e))
                ]
            )
    return totals, sums


def is_fluoroscopy(event: pydicom.Dataset) -> bool:
    kind = below(event, c.EVENT_TYPE.value)[0].ConceptCodeSequence[0].CodeValue
    return kind in (v.FLUOROSCOPY.value, v.FLUOROSCOPY.srt)


def same(one_side: dict[str, float | None], other: dict[str, float | None]) -> bool:
    """Equal to a rounding of the last digit written, with None equal to None alone."""
    return one_side.keys() == other.keys() and all(
        x == other[k]
        or (None not in (x, other[k]) and other[k] == pytest.approx(x, rel=1e-6, abs=1e-12))
        for k, x in one_side.items()
    )


def full_ct() -> pydicom.Dataset:
    """A CT report with every row that the maker knows."""
    events = samples.ct.default_events(4, 3, samples.Study().started, "full")
    second = events[1]
    second.alert = DoseCheck(1000, 50, 1200, 60, "Needed", "Doctor^Sample", False)
    second.notification = DoseCheck(ctdi=20, reason="Large patient", person="Doctor^Sample")
    second.ssde = [
        SizeSpecific(12.1, water_diameter=280, position=3, profile=[(1, 10, 200), (2, 11, 210)]),
        SizeSpecific(13, v.SSDE_SUM, lateral=300, ap=220, effective_diameter=257),
    ]
    second.effective_dose, second.free_air, second.top, second.bottom = 5.2, (0.1, 12), 10, -300
    second.repeated, second.rejected, second.person, second.device = (
        True,
        False,
        "Operator^Sample",
        True,
    )
    second.reconstruction, second.context, second.comment = v.ITERATIVE, v.WITH_CONTRAST, "Comment"
    events[2].sources.append(Source("B", 140, 200, 100, 0.28, 2.5))
    events[2].phantom = v.HEAD_PHANTOM
    events[3].ctdi = None
    return samples.ct_report(
        events, participants=True, subtotals=True, effective_total=9.9, comment="Report", key="full"
    )


def full_projection() -> pydicom.Dataset:
    event = ProjectionEvent(
        uid=samples.uid("x"),
        started=samples.Study().started,
        label="1",
        repeated=True,
        rejected=False,
        type=v.STEPPING,
        anatomy=v.KNEE,
        laterality=v.LEFT,
        view=v.AP,
        view_modifiers=[v.MAGNIFICATION],
        table=(1, 2, 3),
        table_end=(4, 5, 6),
        column_angulation=3,
        dap=1e-4,
        rp_dose=0.01,
        person="Operator^Sample",
        device=True,
        filters=[Filter(), Filter(None, None, None, None)],
        reference_point="Unknown",
        patient_thickness=180,
    )
    return samples.fluoroscopy_report(
        [event], participants=True, comment="Report", key="full projection"
    )


def valid_objects() -> dict[str, pydicom.Dataset]:
    made = {
        "full ct": full_ct(),
        "full projection": full_projection(),
        "biplane, pulses": samples.fluoroscopy_report(6, biplane=True, pulse_level=True),
        "cassette": samples.radiography_report(3, cassette=True),
        "tomosynthesis": samples.mammography_report(5, tomosynthesis=True),
        "enhanced": samples.enhanced_sr_dose_report(),
        "non-dose": samples.non_dose_sr(),
        "other root": samples.other_root_dose_sr(),
        "no template": samples.report_without_template(),
        "no events": samples.report_without_events(),
        "no events rf": samples.report_without_events("rf"),
        "bare": samples.report_without_anything(),
        "unknown items": samples.report_with_unknown_items(),
    }
    makers = {
        "ct": samples.ct_report,
        "rf": samples.fluoroscopy_report,
        "dx": samples.radiography_report,
        "mg": samples.mammography_report,
    }
    for key, maker in samples.VENDORS.items():
        made |= {f"{key} {kind}": makers[kind](vendor=key) for kind in maker.kinds}
    return made


@pytest.mark.parametrize(
    ("name", "ds"), valid_objects().items(), ids=lambda x: x if isinstance(x, str) else ""
)
def test_valid_objects_are_read_by_pydicom_and_dcmtk(
    name: str, ds: pydicom.Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "object.dcm"
    file.write_bytes(part10(ds))
    str(pydicom.dcmread(file))
    done = subprocess.run(
        [tool("dsrdump"), "+Pc", file], capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stderr
    # dcmtk 3.6.7 warns of UTF-8 and of ISO 2022 IR 87 as first of two, which it does not check:
    # nothing else is wrong.
    wrong = [
        line
        for line in done.stderr.splitlines()
        if line and "SpecificCharacterSet" not in line.replace(" ", "")
    ]
    assert not wrong
    assert subprocess.run([tool("dcmdump"), "-q", file], capture_output=True).returncode == 0


def test_same_seed_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib, sys; from orthanc_dose.samples import make_studies, part10, ct_slice\n"
        "from orthanc_dose.samples.hostile import HOSTILE\n"
        "d = hashlib.sha256()\n"
        "for s in make_studies(30, 5):\n"
        "    for ds in s.datasets: d.update(part10(ds))\n"
        "d.update(part10(ct_slice(3)))\n"
        "for name in ('number_nan', 'nested_200', 'not_dicom', 'nul_bytes'): d.update(HOSTILE[name](9))\n"
        "print(d.hexdigest())"
    )
    package = str(Path(orthanc_dose.__file__).parents[1])
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": package},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1 and len(digests.pop()) == 65


def test_seed_and_until_matter_and_studies_do_not_depend_on_their_number() -> None:
    def digest(*arguments: object, **more: object) -> list[str]:
        return [
            hashlib.sha256(part10(ds)).hexdigest()
            for s in samples.make_studies(*arguments, **more)
            for ds in s.datasets
        ]

    assert digest(6, 1) == digest(12, 1)[:6]
    assert not set(digest(6, 1)) & set(digest(6, 2))
    assert digest(6, 1) != digest(6, 1, until=date(2030, 1, 1))
    with pytest.raises(ValueError, match="xx"):
        next(samples.make_studies(1, 1, ("ct", "xx")))


def test_totals_agree_with_the_events_and_with_what_is_expected() -> None:
    kinds, vendors, missing = set(), set(), 0
    for sample in samples.make_studies(90, 7):
        ds = reread(sample.datasets[0])
        totals, sums = read_back(sample.kind, ds)
        assert same(totals, sample.totals), (totals, sample)
        assert same(sums, sample.sums), (sums, sample)
        assert sum(name_of(i) in EVENT_CODES for i in ds.ContentSequence) == sample.events
        for name, value in totals.items():
            if value is None or value == 0:
                missing += 1
            elif sums[name] is not None:
                assert value == pytest.approx(sums[name], rel=1e-6)
        assert (ds.StudyInstanceUID, ds.AccessionNumber) == (
            sample.study_instance_uid,
            sample.accession_number,
        )
        assert ds.StudyDate <= "20250630"
        kinds.add(sample.kind)
        vendors.add(sample.vendor)
    assert kinds == {"ct", "rf", "dx", "mg"} and len(vendors) > 12 and missing


def test_values_are_plausible() -> None:
    found: dict[str, list[float]] = {}
    for sample in samples.make_studies(300, 3):
        for name, value in sample.sums.items():
            if value is not None:
                found.setdefault(name, []).append(value)
    middle = {name: sorted(values)[len(values) // 2] for name, values in found.items()}
    assert (
        150 < middle["dlp_total"] < 900
        and min(found["dlp_total"]) > 20
        and max(found["dlp_total"]) < 6000
    )
    assert 1 < middle["agd_left"] < 6 and 1e-6 < middle["dap_total"] < 5e-3


def test_patients_are_recognisably_made_up_and_survive_their_character_set() -> None:
    written = set()
    for sample in samples.make_studies(120, 4):
        ds = reread(sample.datasets[0])
        assert str(ds.PatientName).startswith("Sample^") and ds.PatientID.startswith("SAMPLE-")
        assert str(ds.PatientName) == sample.patient.name
        written.add(sample.patient.name)
    assert any(not name.isascii() for name in written)


def test_implicit_vr_says_the_same() -> None:
    ds = samples.ct_report(2, seed=8, vendor="siemens-ct")
    explicit, implicit = (pydicom.dcmread(BytesIO(part10(ds, implicit=i))) for i in (False, True))
    assert implicit.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2"
    assert explicit.to_json() == implicit.to_json()


def test_any_number_of_events_quickly() -> None:
    began = time.process_time()
    content = part10(samples.fluoroscopy_report(316))
    assert time.process_time() - began < 5
    ds = pydicom.dcmread(BytesIO(content))
    assert sum(name_of(i) == c.EVENT.value for i in ds.ContentSequence) == 316


def test_items_as_datasets_and_events_of_ones_own() -> None:
    assert samples.sr.text(c.COMMENT, "größer").dataset().TextValue == "größer"
    ds = num(c.DLP, 12.5).dataset()
    assert (ds.MeasuredValueSequence[0].NumericValue, name_of(ds)) == (12.5, "113838")
    report = reread(samples.ct_report([CtEvent(uid="1.2.3", dlp=100, ctdi=2)], total=None))
    assert read_back("ct", report) == ({"dlp_total": None}, {"dlp_total": 100})


def test_ct_series_is_one_series_of_small_images() -> None:
    images = [reread(ds) for ds in samples.ct_series(3)]
    assert (
        len({i.SeriesInstanceUID for i in images}) == 1
        and len({i.SOPInstanceUID for i in images}) == 3
    )
    assert all((i.Rows, i.Columns, len(i.PixelData)) == (16, 16, 512) for i in images)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_entries_are_deterministic_and_differ_by_seed(name: str) -> None:
    first = HOSTILE[name](1)
    assert isinstance(first, bytes)
    assert HOSTILE[name](1) == first
    if name not in (
        "empty_file",
        "truncated_in_preamble",
        "truncated_after_prefix",
        "truncated_after_meta",
    ):
        assert HOSTILE[name](2) != first
    assert FATAL <= STORABLE <= HOSTILE.keys()


def test_a_receiver_of_dcmtk_takes_what_is_storable(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sent, received = tmp_path / "sent", tmp_path / "received"
    sent.mkdir()
    received.mkdir()
    for sample in samples.make_studies(12, 6):
        (sent / f"study{sample.index}.dcm").write_bytes(part10(sample.datasets[0]))
    (sent / "slice.dcm").write_bytes(part10(samples.ct_slice()))
    # A character set or a transfer syntax of its own needs an association of its own; size only
    # costs time here.
    for name in STORABLE - FATAL - {"children_50000", "text_5_mb", "deflated_bomb", "implicit_vr"}:
        (sent / f"{name}.dcm").write_bytes(HOSTILE[name](1))
    environment = {**os.environ, "TCP_NODELAY": "1"}
    receiver = subprocess.Popen(
        [tool("storescp"), "-od", received, "+uf", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        done = subprocess.run(
            [tool("storescu"), "+sd", "-R", "127.0.0.1", str(port), sent],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
        )
        assert done.returncode == 0, done.stderr
        assert len(list(received.iterdir())) == len(list(sent.iterdir()))
    finally:
        receiver.terminate()
        receiver.wait()


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(a) for a in arguments]))


def test_command_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "a" / "b"
    assert run(out, "--studies", 25, "--seed", 3, "--kinds", "ct,mg", "--events", 40) == 0
    said = capsys.readouterr().out
    files = sorted(out.iterdir())
    assert said.startswith("26 files") and len(files) == 26 and str(out) in said
    for file in files:
        ds = pydicom.dcmread(file)
        assert ds.SOPClassUID.startswith("1.2.840.10008.5.1.4.1.1.88.")
        assert ds.PatientID not in file.name and "Sample" not in file.name
    again = tmp_path / "again"
    assert run(again, "--studies", 25, "--seed", 3, "--kinds", "ct,mg", "--events", 40) == 0
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in sorted(again.iterdir())]


def test_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    assert run(in_the_way / "out", "--studies", 1) == 2
    assert str(in_the_way) in capsys.readouterr().err
    for wrong in (["--kinds", "ct,xx"], ["--studies", "-1"], ["--until", "soon"]):
        with pytest.raises(SystemExit) as stopped:
            run(tmp_path, *wrong)
        assert stopped.value.code == 2
