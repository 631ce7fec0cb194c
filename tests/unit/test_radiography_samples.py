"""The makers of radiographs: headers say what they claim, in the units they claim, read by pydicom
and by dcmtk.
"""

import struct
from pathlib import Path

import pytest

from orthanc_dose import samples
from orthanc_dose.samples import image_radiography_systems as rs
from orthanc_dose.samples import part10
from tests.support.elements import Element, dcmdump, number, raw, reread


@pytest.mark.parametrize("kind", samples.RADIOGRAPHY)
def test_a_radiograph_holds_its_exposure_in_the_units_of_its_attributes(kind: str) -> None:
    exposure, ds = samples.RADIOGRAPHY[kind].exposure, reread(samples.radiography_image(kind))
    assert number(ds, "KVP") == exposure.kvp
    assert number(ds, "ImageAndFluoroscopyAreaDoseProduct") == pytest.approx(
        None if exposure.dap is None else exposure.dap * 1e5
    )  # dGy.cm2
    exact, rounded = (
        raw(reread(samples.radiography_image(kind)), "ExposureInuAs"),
        raw(ds, "Exposure"),
    )
    if exposure.exposure is not None:
        uas = float(exact) if exact else float(rounded) * 1000
        assert uas == exposure.exposure
    else:
        assert exact is None and rounded is None
    assert number(ds, "DeviationIndex") == exposure.deviation
    distance = (
        None
        if exposure.source_to_detector is None
        else exposure.source_to_detector / (100 if kind == "kodak-dr7500" else 1)
    )
    assert number(ds, "DistanceSourceToDetector") == distance
    assert ("IrradiationEventUID" in ds) == samples.RADIOGRAPHY[kind].event_uid
    assert ds.Modality == {"newtom-px": "PX"}.get(
        kind, "CR" if ds.SOPClassUID == rs.COMPUTED_RADIOGRAPHY else "DX"
    )


def test_carestream_writes_cr_with_the_exposure_index_of_iec_and_mas_three_times(
    tmp_path: Path,
) -> None:
    shown = dcmdump(part10(samples.radiography_image("carestream-drx")), tmp_path)
    assert shown["0008,0016"][0].value == "ComputedRadiographyImageStorage"
    assert shown["0018,1152"][0] == Element("IS", "2", "2")
    assert shown["0018,1153"][0].value == "1600"
    assert shown["0018,9332"][0].vr == "FD" and float(shown["0018,9332"][0].value) == 1.6
    assert [shown[f"0018,{tag}"][0].value for tag in ("1405", "1411", "1412", "1413")] == [
        "243",
        "243.15",
        "226.22",
        "0.3",
    ]
    assert (
        "0018,1030" not in shown
        and shown["0008,103e"][0].value == "PA"
        and shown["0008,1030"][0].value == "XR CHEST"
    )


def test_kodak_dr7500_writes_decimetres_commas_and_minimum_above_maximum(tmp_path: Path) -> None:
    shown = dcmdump(part10(samples.radiography_image("kodak-dr7500")), tmp_path)
    assert shown["0018,1110"][0].value == "11.5"
    assert shown["0018,7050"][0].value == "ALUMINUM,COPPER"
    assert (shown["0018,7052"][0].value, shown["0018,7054"][0].value) == (
        "1.06,0.206",
        "0.94,0.194",
    )
    assert shown["0008,0022"][0] == Element("DA", "", "0")
    assert "0018,1153" not in shown and shown["0018,1152"][0].value == "9"
    single = samples.Radiograph(filters=(samples.Layer("ALUMINUM", 0.94, 1.06),))
    one = samples.radiography_image("kodak-dr7500", exposure=single)
    assert raw(reread(one), "FilterThicknessMinimum").strip() == b"1.06"


def test_ge_siemens_drgem_and_newtom_write_as_they_do(tmp_path: Path) -> None:
    ge = dcmdump(part10(samples.radiography_image("ge-xr220")), tmp_path)
    assert (
        ge["0018,1413"][0].value == "-9.300000"
        and ge["0020,0062"][0].value == "U"
        and ge["0008,1030"][0].value == ""
    )
    assert ge["0008,0016"][0].value == "DigitalXRayImageStorageForProcessing"
    assert ge["0008,002a"][0].value == "20250314092753.000000"
    multix = dcmdump(part10(samples.radiography_image("siemens-multix")), tmp_path)
    assert (multix["0018,1152"][0].value, multix["0018,1153"][0].value) == ("1", "1700")
    assert (
        multix["0018,1160"][0].value == "CU_0.1_MM"
        and "0018,7050" not in multix
        and "0018,7052" not in multix
    )
    drgem = dcmdump(part10(samples.radiography_image("drgem")), tmp_path)
    assert (drgem["0018,1150"][0].value, drgem["0018,1152"][0].value) == ("161.3", "40.196")
    assert drgem["0018,1150"][0].vr == "IS" and "0008,0022" not in drgem
    newtom = dcmdump(part10(samples.radiography_image("newtom-px")), tmp_path)
    assert newtom["0008,0060"][0].value == "PX" and newtom["0020,0062"][0].value == "B"
    assert newtom["0008,0016"][0].value == "DigitalXRayImageStorageForPresentation"


def test_makers_own_exposure_indices_stand_in_one_attribute_with_different_meanings() -> None:
    found = {
        kind: (
            raw(reread(samples.radiography_image(kind)), "RelativeXRayExposure"),
            system.exposure.relative_meaning,
        )
        for kind, system in samples.RADIOGRAPHY.items()
        if system.exposure.relative_exposure is not None
    }
    assert (
        found["fuji"] == (b"255 ", "S")
        and found["fuji-cr"] == (b"188 ", "S")
        and found["konica"] == (b"412 ", "S")
    )
    assert found["agfa"] == (b"1.96", "lgM (bel)") and found["canon"] == (b"420 ", "REX")
    assert found["swissray"] == (b"37", "DI") and found["philips-didi"] == (b"400 ", "EI")
    assert found["kodak-dr7500"][1] == "EI (mbel)" and found["siemens-fluorospot"] == (
        b"398 ",
        "EXI (uGy)",
    )


def test_protocols_and_procedures_stand_in_odd_places() -> None:
    toshiba = samples.radiography_image("toshiba-tfd")
    assert (
        "ProtocolName" not in toshiba
        and toshiba.ImageComments == "Abdomen AP"
        and toshiba.SoftwareVersions == "TM_TFD_1.0"
    )
    assert samples.radiography_image("canon").StudyDescription == "Chest PA and lateral"


@pytest.mark.parametrize("name", samples.ODDITIES)
def test_every_oddity_changes_the_header_and_dcmtk_still_reads_it(
    name: str, tmp_path: Path
) -> None:
    exposure = samples.Radiograph(laterality="R", entrance_dose=0.9)
    plain, odd = (
        part10(samples.radiography_image(exposure=exposure, odd=which)) for which in ((), name)
    )
    assert plain != odd
    assert dcmdump(odd, tmp_path)


def test_oddities_say_the_same_in_other_units(tmp_path: Path) -> None:
    exposure = samples.Radiograph(time=12.5, current=320, exposure=4000)
    shown = dcmdump(
        part10(
            samples.radiography_image(
                exposure=exposure, odd=("time-in-us", "current-in-ua", "exposure-as-fd")
            )
        ),
        tmp_path,
    )
    assert shown["0018,8150"][0] == Element("DS", "12500", "6") and "0018,1150" not in shown
    assert shown["0018,8151"][0] == Element("DS", "320000", "6") and "0018,1151" not in shown
    assert (
        shown["0018,9332"][0] == Element("FD", "4", "8")
        and "0018,1152" not in shown
        and "0018,1153" not in shown
    )


@pytest.mark.parametrize(
    ("name", "tag", "element"),
    [
        ("us-of-one-byte", "0040,0302", ("US", "1")),
        ("us-of-three-bytes", "0040,0302", ("US", "3")),
        ("us-of-two-values", "0040,0302", ("US", "4")),
        ("fd-of-four-bytes", "0018,9332", ("FD", "4")),
        ("ds-odd-length", "0018,0060", ("DS", "3")),
        ("ds-too-long", "0018,0060", ("DS", "21")),
        ("ds-of-a-double", "0018,115e", ("DS", "8")),
        ("ds-with-nul", "0018,0060", ("DS", "4")),
    ],
)
def test_elements_of_wrong_length_stand_so_in_the_file(
    name: str, tag: str, element: tuple[str, str], tmp_path: Path
) -> None:
    """The length in the bytes themselves, since dcmtk corrects some of them while it reads."""
    data = part10(samples.radiography_image(odd=name))
    group, number_ = (int(part, 16) for part in tag.split(","))
    start = data.index(struct.pack("<HH", group, number_) + element[0].encode())
    assert struct.unpack_from("<H", data, start + 6)[0] == int(element[1])


def test_dates_can_be_missing() -> None:
    ds = reread(samples.radiography_image("ge-xr220", odd="no-dates-nor-times"))
    assert not [
        e.keyword
        for e in ds
        if e.VR in ("DT", "TM") or (e.VR == "DA" and e.keyword != "PatientBirthDate")
    ]
    assert not [
        e.keyword
        for e in reread(samples.radiography_image("ge-xr220", odd="no-dates"))
        if e.VR in ("DT", "DA") and e.keyword != "PatientBirthDate"
    ]
    assert reread(samples.radiography_image(odd="study-date-only")).StudyDate == "20250314"


@pytest.mark.parametrize("name", samples.FILTER_SPELLINGS)
def test_filter_spellings_stand_in_the_header(name: str, tmp_path: Path) -> None:
    spelling = samples.FILTER_SPELLINGS[name]
    shown = dcmdump(part10(samples.radiography_image(filters=name)), tmp_path)
    tags = {
        "FilterType": "0018,1160",
        "FilterMaterial": "0018,7050",
        "FilterThicknessMinimum": "0018,7052",
        "FilterThicknessMaximum": "0018,7054",
    }
    for keyword, value in spelling.attributes.items():
        if value is None:
            assert tags[keyword] not in shown
        else:
            text = (
                value.decode()
                if isinstance(value, bytes)
                else "\\".join(value)
                if isinstance(value, list)
                else value
            )
            assert shown[tags[keyword]][0].value == text.strip()


def test_two_images_of_one_exposure() -> None:
    for with_uid in (True, False):
        first, second = samples.radiography_pair("siemens-fluorospot", event_uid=with_uid)
        assert first.SOPClassUID == rs.DX_PROCESSING and second.SOPClassUID == rs.DX_PRESENTATION
        assert (
            first.SeriesInstanceUID != second.SeriesInstanceUID
            and first.SOPInstanceUID != second.SOPInstanceUID
        )
        assert first.get("IrradiationEventUID") == second.get("IrradiationEventUID")
        assert ("IrradiationEventUID" in first) == with_uid
        for keyword in (
            "AcquisitionDate",
            "AcquisitionTime",
            "ImageAndFluoroscopyAreaDoseProduct",
            "ExposureInuAs",
            "KVP",
        ):
            assert first.get(keyword) == second.get(keyword) is not None
    exposures = samples.radiography_study("standard", 3)
    assert (
        len({ds.IrradiationEventUID for ds in exposures})
        == len({ds.AcquisitionTime for ds in exposures})
        == 3
    )


def test_attributes_have_the_last_word() -> None:
    ds = samples.radiography_image(
        "fuji", KVP="66", ImageAndFluoroscopyAreaDoseProduct=None, StudyDescription=b"odd"
    )
    assert ds.KVP == 66 and "ImageAndFluoroscopyAreaDoseProduct" not in ds
    with pytest.raises(ValueError, match="NoSuchThing"):
        samples.radiography_image(NoSuchThing="1")
