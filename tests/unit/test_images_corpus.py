"""Real images: every number of the record against the element read by DCMTK's dcmdump, with units
worked out by hand.
"""

import re
import subprocess
from pathlib import Path

import pytest

from orthanc_dose import extract
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.extract import Extract

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the real objects are not beside the repository"
)

# Element, what its value is multiplied with to be in the field's unit (PS3.3, PS3.6), the field.
_OF_IMAGES = (
    ("0018,0060", 1, "kvp"),
    ("0018,115e", 1e-5, "dap"),
    ("0018,1153", 1, "exposure"),
    ("0018,1150", 1, "exposure_time"),
    ("0018,1151", 1, "xray_tube_current"),
    ("0018,1411", 1, "exposure_index"),
    ("0018,1412", 1, "target_exposure_index"),
    ("0018,1413", 1, "deviation_index"),
    ("0018,1405", 1, "relative_xray_exposure"),
    ("0018,1190", 1, "focal_spot_size"),
    ("0040,0316", 100, "average_glandular_dose"),
    ("0040,8302", 1, "entrance_dose"),
    ("0040,0314", 1, "half_value_layer"),
    ("0018,11a0", 1, "compression_thickness"),
    ("0018,1110", 1, "distance_source_to_detector"),
    ("0018,1111", 1, "distance_source_to_patient"),
    ("0018,1114", 1, "magnification_factor"),
    ("0018,1510", 1, "positioner_primary_angle"),
    ("0018,6000", 1, "sensitivity"),
)
_LINE = re.compile(
    r"^(?P<indent> *)\((?P<tag>[0-9a-f]{4},[0-9a-f]{4})\) (?P<vr>..) (?P<value>.*?) +#"
)


def dumped(path: Path) -> list[tuple[int, str, str]]:
    """(depth, tag, value) of each element by dcmdump; values of VR UN by the bytes that it
    shows.
    """
    out = []
    for found in filter(None, map(_LINE.match, _dump(path).splitlines())):
        value = found["value"].strip("[]=")
        if found["vr"] == "UN" and re.fullmatch(r"([0-9a-f]{2}\\)*[0-9a-f]{2}", value):
            value = bytes.fromhex(value.replace("\\", "")).decode("latin-1").strip(" \0")
        out.append((len(found["indent"]), found["tag"], value))
    return out


def _dump(path: Path) -> str:
    return subprocess.run(
        ["/usr/bin/dcmdump", "-q", "+L", str(path)], capture_output=True, check=True
    ).stdout.decode("latin-1")


def read(path: Path) -> Extract:
    kept = extract.keep(part10.read_any(path.read_bytes()))
    return extract.extract_object(kept, str(kept.dataset["0008,0016"]))


@pytest.mark.parametrize(
    "name",
    ["DX-Im-Carestream_DRX", "DX-Im-GE_XR220-1", "DX-Im-GE_XR220-2", "MG-Im-GE-SenDS-scaled"],
)
def test_every_number_of_a_real_image(name: str) -> None:
    path = CORPUS / f"{name}.dcm"
    top = {tag: value for depth, tag, value in dumped(path) if depth == 0}
    found = read(path)
    (row,) = found.events
    compared = 0
    for tag, times, field in _OF_IMAGES:
        if tag in top and top[tag] and float(top[tag]) != 0:
            assert row.get(field) == pytest.approx(float(top[tag]) * times, rel=1e-12), (tag, field)
            compared += 1
    assert compared >= 9
    listed = {item.concept.strip("()").lower() for item in found.unused}
    assert listed and listed <= set(
        re.findall(r"^\(([0-9a-f]{4},[0-9a-f]{4})\)", _dump(path), re.MULTILINE)
    )


def test_two_exposures_of_one_real_study_add_up() -> None:
    paths = [CORPUS / f"DX-Im-GE_XR220-{number}.dcm" for number in (1, 2)]
    (record,) = put_together([Part(path.stem, read(path)) for path in paths])
    daps = [float(value) for path in paths for _, tag, value in dumped(path) if tag == "0018,115e"]
    assert record.study["number_of_events"] == 2
    assert record.study["dap_total"] == pytest.approx(sum(daps) * 1e-5)


def test_a_real_projection_whose_elements_lost_their_vr() -> None:
    # dcmdump cannot read this object to its end; pydicom can.
    import pydicom

    path = CORPUS / "MG-Im-Hologic-PropProj.dcm"
    ds = pydicom.dcmread(path)
    (row,) = read(path).events
    assert row["average_glandular_dose"] == pytest.approx(float(ds.OrganDose) * 100)
    assert row["entrance_dose"] == pytest.approx(float(ds.EntranceDoseInmGy))
    assert (row["kvp"], row["exposure"]) == (float(ds.KVP), float(ds.ExposureInuAs))


def test_a_real_dose_screen_of_philips() -> None:
    path = CORPUS / "CT-SC-Philips_Brilliance16P.dcm"
    inside: dict[str, list[str]] = {}
    lines = dumped(path)
    begin = next(index for index, (_, tag, _) in enumerate(lines) if tag == "0040,030e")
    for depth, tag, value in lines[begin + 1 :]:
        if depth == 0 and tag != "fffe,e0dd":
            break
        inside.setdefault(tag, []).append(value)
    found = read(path)
    total = next(value for depth, tag, value in lines if depth == 0 and tag == "00e1,1021")
    assert found.accumulated == [{"dlp_total": float(total)}]
    for tag, field in (
        ("0018,9345", "mean_ctdivol"),
        ("00e1,1021", "dlp"),
        ("0018,1302", "scanning_length"),
        ("0018,9306", "nominal_single_collimation_width"),
        ("0018,9307", "nominal_total_collimation_width"),
        ("0018,9311", "pitch_factor"),
    ):
        given = [float(value) for value in inside[tag] if float(value) != 0]
        assert [row[field] for row in found.events if row.get(field) is not None] == pytest.approx(
            given
        ), field
    times = [float(value) / 1000 for value in inside["0018,1150"]]
    assert [
        row["exposure_time"] for row in found.events if row.get("exposure_time")
    ] == pytest.approx(times)
    sources = [row["xray_sources"][0] for row in found.events]
    assert [one["kvp"] for one in sources] == [float(value) for value in inside["0018,0060"]]
    currents = [float(value) / 1000 for value in inside["0018,8151"]]
    assert [one["xray_tube_current"] for one in sources] == pytest.approx(currents)


def test_a_real_pet_image() -> None:
    path = CORPUS / "NM-PetIm-GE.dcm"
    inside = {tag: value for depth, tag, value in dumped(path) if depth > 0}
    (row,) = read(path).events
    assert row["administered_activity"] == pytest.approx(float(inside["0018,1074"]) / 1e6)
    assert row["radionuclide_half_life"] == pytest.approx(float(inside["0018,1075"]))
    assert row["radiopharmaceutical_volume"] == pytest.approx(float(inside["0018,1071"]))
    assert f"{row['datetime_started']:%Y%m%d%H%M%S}.00" == inside["0018,1078"]
    assert row["radiopharmaceutical_name"] == inside["0018,0031"]


def test_the_series_of_a_real_pet_image() -> None:
    path = CORPUS / "NM-PetIm-GE.dcm"
    lines = dumped(path)
    top = {tag: value for depth, tag, value in lines if depth == 0}
    window = {tag: value for _, tag, value in lines if tag in ("0054,0014", "0054,0015")}
    (series,) = read(path).events[0]["image_series"] or ()
    started = series["series_started"]
    assert started and f"{started:%Y%m%d%H%M%S}" == top["0008,0021"] + top["0008,0031"]
    assert series == {
        "series_instance_uid": top["0020,000e"],
        "series_description": top["0008,103e"],
        "series_started": started,
        "number_of_slices": float(top["0054,0081"]),
        "reconstruction_method": top["0054,1103"],
        "energy_window_lower_limit": float(window["0054,0014"]),
        "energy_window_upper_limit": float(window["0054,0015"]),
    }
