"""The makers of images: headers say what they claim, in the units they claim, read by pydicom and
by dcmtk.
"""

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.samples import image_ct as ct
from orthanc_dose.samples import image_dose_info as di
from orthanc_dose.samples import image_mammography as mg
from orthanc_dose.samples import image_nuclear as nm
from orthanc_dose.samples import part10
from orthanc_dose.samples import values as v
from tests.support.elements import Element, dcmdump, number, reread

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


EVERY: dict[str, Callable[[], list[Dataset]]] = {
    **{
        f"radiography-{kind}": lambda kind=kind: [samples.radiography_image(kind)]
        for kind in samples.RADIOGRAPHY
    },
    **{
        f"mammography-{kind}": lambda kind=kind: [samples.mammography_image(kind)]
        for kind in samples.MAMMOGRAPHY
    },
    **{
        f"nuclear-{kind}": lambda kind=kind: samples.nuclear_images(kind, 2)
        for kind in samples.NUCLEAR
    },
    **{f"ct-{kind}": lambda kind=kind: samples.ct_images(kind) for kind in samples.CT_SYSTEMS},
    **{
        f"philips-{kind}": lambda kind=kind: [samples.philips_dose_info(kind=kind)]
        for kind in samples.PHILIPS
    },
    "pair": lambda: list(samples.radiography_pair()),
    "study": lambda: samples.radiography_study("ge-xr220", 3),
    "screening": lambda: samples.screening("ge-ds"),
    "combo": lambda: samples.hologic_combo(volume=True),
    "nuclear-study": lambda: samples.nuclear_study(),
}


@pytest.mark.parametrize("name", EVERY)
def test_same_arguments_same_bytes_and_dcmtk_reads_them(name: str, tmp_path: Path) -> None:
    made, again = EVERY[name](), EVERY[name]()
    assert [part10(ds) for ds in made] == [part10(ds) for ds in again]
    assert len({ds.SOPInstanceUID for ds in made}) == len(made)
    assert len({ds.StudyInstanceUID for ds in made}) == 1
    for ds in {id(ds): ds for ds in (made[0], made[-1])}.values():
        found = reread(ds)
        frames = int(found.get("NumberOfFrames", 1))
        assert len(found.PixelData) == 2 * found.Rows * found.Columns * frames
        assert (
            max(struct.unpack(f"<{len(found.PixelData) // 2}H", found.PixelData))
            < 1 << found.BitsStored
        )
        shown = dcmdump(part10(ds), tmp_path)
        assert shown["0008,0018"][0].value == ds.SOPInstanceUID
        assert shown["0010,0010"][0].value == "Sample^Anna"


def test_seeds_and_keys_make_other_studies_and_pixels_their_number() -> None:
    assert (
        samples.radiography_image().StudyInstanceUID
        != samples.radiography_image(seed=2).StudyInstanceUID
    )
    assert (
        samples.radiography_image(key="a").SOPInstanceUID
        != samples.radiography_image(key="b").SOPInstanceUID
    )
    assert len(samples.mammography_image(pixels=64).PixelData) == 2 * 64 * 64
    study = samples.Study(instance_uid="2.25.7")
    assert {
        ds.StudyInstanceUID
        for ds in (samples.radiography_image(study=study), samples.philips_dose_info(study=study))
    } == {"2.25.7"}


# Mammography
# ---


@pytest.mark.parametrize("kind", samples.MAMMOGRAPHY)
def test_a_mammogram_holds_its_exposure_in_the_units_of_its_attributes(kind: str) -> None:
    exposure, ds = samples.MAMMOGRAPHY[kind].exposure, reread(samples.mammography_image(kind))
    where = ds.XRay3DAcquisitionSequence[0] if kind == "hologic-dbt" else ds
    assert number(where, "OrganDose") == pytest.approx(exposure.agd / 100)  # dGy
    assert number(where, "EntranceDoseInmGy") == exposure.entrance_dose
    assert (
        number(where, "BodyPartThickness") == exposure.thickness
        and where.AnodeTargetMaterial == exposure.target
    )
    mas = (
        number(where, "ExposureInmAs")
        if kind == "hologic-dbt"
        else number(ds, "ExposureInuAs") / 1000
    )
    assert mas == exposure.exposure / 1000
    if kind != "hologic-dbt":
        assert ds.EntranceDose == 0  # whole dGy: a few mGy are none
    assert ds.Modality == "MG" and ds.ViewCodeSequence[0].CodeValue == (
        v.CC.value if kind == "standard" else v.CC.srt
    )


def test_ge_senographe_ds_as_the_real_one(tmp_path: Path) -> None:
    exposure = samples.Mammogram(
        force=80, glandularity=31, radiological_thickness=45, entrance_dose=5.12, agd=1.36
    )
    shown = dcmdump(part10(samples.mammography_image("ge-ds", exposure=exposure)), tmp_path)
    assert shown["0008,1090"][0].value == "Senograph DS ADS_43.10.1"
    assert shown["0040,0310"][0] == Element("ST", "31 %", "4")
    assert shown["0018,1405"][0].value == "5120" and shown["0040,8302"][0].value == "5.12"
    assert shown["0040,0316"][0].value == "0.0136" and shown["0018,11a2"][0].value == "800"
    assert shown["0045,0010"][0].value == "GEMS_SENO_02" and shown["0045,1049"][0] == Element(
        "DS", "45", "2"
    )
    assert "SNM3" in {element.value for element in shown["0008,0102"]}
    as_given = samples.mammography_image("ge-ds", exposure=exposure, force_factor=1)
    assert as_given.CompressionForce == 80


def test_essential_selenia_and_inspiration() -> None:
    essential = samples.mammography_image("ge-essential")
    assert essential.CompressionForce == 120 and essential.CommentsOnRadiationDose == "24 %"
    selenia = samples.mammography_image("hologic-selenia")
    assert (selenia.AnodeTargetMaterial, selenia.FilterMaterial, selenia.HalfValueLayer) == (
        "MOLYBDENUM",
        "MOLYBDENUM",
        0.351,
    )
    inspiration = samples.mammography_image("siemens-inspiration")
    assert (
        inspiration.SOPClassUID == mg.MG_PROCESSING and "CommentsOnRadiationDose" not in inspiration
    )


@pytest.mark.parametrize(
    ("scheme", "code"), [("SCT", v.MLO.value), ("SRT", v.MLO.srt), ("SNM3", v.MLO.srt)]
)
def test_views_and_modifiers_in_every_scheme(scheme: str, code: str) -> None:
    exposure = samples.Mammogram(view=v.MLO, modifiers=(v.MAGNIFICATION, mg.IMPLANT_DISPLACED))
    view = reread(samples.mammography_image(exposure=exposure, scheme=scheme)).ViewCodeSequence[0]
    assert (view.CodeValue, view.CodingSchemeDesignator) == (code, scheme)
    assert [m.CodingSchemeDesignator for m in view.ViewModifierCodeSequence] == [scheme, scheme]


def test_hologic_combo_is_two_irradiations_of_one_time(tmp_path: Path) -> None:
    processing, presentation, projections, volume = samples.hologic_combo(volume=True)
    assert len({ds.AcquisitionTime for ds in (processing, presentation, projections, volume)}) == 1
    assert (
        processing.OrganDose == presentation.OrganDose != number(reread(projections), "OrganDose")
    )
    assert (
        projections.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
        and volume.SOPClassUID == mg.BREAST_TOMOSYNTHESIS
    )
    shown = dcmdump(part10(projections), tmp_path)
    assert "0020,0062" not in shown and shown["0020,0060"][0].value == "R"
    assert shown["0008,0060"][0].value == "MG"
    doses = [
        (ds.AnodeTargetMaterial, ds.FilterMaterial) for ds in (presentation, reread(projections))
    ]
    assert doses == [("TUNGSTEN", "RHODIUM"), ("TUNGSTEN", "ALUMINUM")]


def test_unknown_vrs(tmp_path: Path) -> None:
    plain = samples.mammography_image("hologic-tomo")
    data = part10(samples.mammography_image("hologic-tomo", unknown_vrs="implicit"))
    # As bytes in the file: pydicom and dcmtk both replace UN where they know better.
    for tag in ("00181191", "001811a2", "00400316", "00408302", "00187050"):
        packed = struct.pack("<HH", int(tag[:4], 16), int(tag[4:], 16))
        assert data[data.index(packed) + 4 :][:2] == b"UN", tag
    shown = dcmdump(data, tmp_path)
    assert shown["0040,0260"] and "99HOLX" in {element.value for element in shown["0008,0102"]}
    assert float(pydicom.dcmread(BytesIO(data)).OrganDose) == float(plain.OrganDose)
    # With items in explicit VR dcmtk gives up, as on the real object; pydicom does not.
    odd = part10(samples.mammography_image("hologic-tomo", unknown_vrs="explicit"))
    dcmdump(odd, tmp_path, fails=True)
    assert (
        pydicom.dcmread(BytesIO(odd)).PerformedProtocolCodeSequence[0].CodingSchemeDesignator
        == "99HOLX"
    )


def test_screening_and_pairs_of_mammograms() -> None:
    four = samples.screening("ge-essential")
    assert [(ds.ImageLaterality, ds.ViewPosition) for ds in four] == [
        ("R", "CC"),
        ("L", "CC"),
        ("R", "MLO"),
        ("L", "MLO"),
    ]
    agd = samples.MAMMOGRAPHY["ge-essential"].exposure.agd
    assert [float(ds.OrganDose) * 100 for ds in four] == pytest.approx(
        [agd, agd * 1.05, agd * 1.1, agd * 1.15]
    )
    for with_uid in (True, False):
        first, second = samples.mammography_pair("standard", event_uid=with_uid)
        assert first.SOPClassUID == mg.MG_PROCESSING and second.SOPClassUID == mg.MG_PRESENTATION
        assert first.get("IrradiationEventUID") == second.get("IrradiationEventUID")


# Nuclear medicine
# ---


def test_activity_in_bq_for_pet_and_in_mbq_for_nm(tmp_path: Path) -> None:
    pet = dcmdump(part10(samples.nuclear_images("ge-pet")[0]), tmp_path)
    assert pet["0018,1074"][0].value == "221600000" and pet["0018,1072"][0].value == "082100.00"
    assert (
        pet["0018,1078"][0].value == "20250314082100.00" and pet["0018,1075"][0].value == "6586.2"
    )
    assert pet["0008,0016"][0].value == "PositronEmissionTomographyImageStorage"
    spect = dcmdump(part10(samples.nuclear_images("ge-nm")[0]), tmp_path)
    assert spect["0018,1074"][0].value == "612.5" and spect["0018,1070"][0].value == "Intravenous"
    assert spect["0008,0016"][0].value == "NuclearMedicineImageStorage"
    assert (
        samples.nuclear_images("ge-pet", odd="other-unit")[0]
        .RadiopharmaceuticalInformationSequence[0]
        .RadionuclideTotalDose
        == 221.6
    )
    assert (
        samples.nuclear_images("ge-nm", odd="other-unit")[0]
        .RadiopharmaceuticalInformationSequence[0]
        .RadionuclideTotalDose
        == 612.5e6
    )


def test_variants_of_administrations() -> None:
    two = samples.nuclear_images("siemens-nm", administrations=(nm.MIBI_REST, nm.MIBI_STRESS))[0]
    assert [item.RadionuclideTotalDose for item in two.RadiopharmaceuticalInformationSequence] == [
        287,
        861,
    ]
    assert (
        len(samples.nuclear_images(administrations=())[0].RadiopharmaceuticalInformationSequence)
        == 0
    )
    assert "RadiopharmaceuticalInformationSequence" not in samples.nuclear_images(sequence=False)[0]
    for moments, keywords in (
        ("TM", {"Time"}),
        ("DT", {"DateTime"}),
        ("both", {"Time", "DateTime"}),
        ("", set()),
    ):
        item = samples.nuclear_images(administrations=[samples.Administration(moments=moments)])[
            0
        ].RadiopharmaceuticalInformationSequence[0]
        assert {
            word for word in ("Time", "DateTime") if f"RadiopharmaceuticalStart{word}" in item
        } == keywords
    sct = samples.nuclear_images(scheme="SCT")[0].RadiopharmaceuticalInformationSequence[0]
    assert sct.RadionuclideCodeSequence[0].CodeValue == nm.FLUORINE_18.value
    assert sct.AdministrationRouteCodeSequence[0].CodingSchemeDesignator == "SCT"


def test_slices_and_series_of_a_nuclear_study() -> None:
    slices = samples.nuclear_images("ge-pet", 4)
    assert (
        len({ds.SeriesInstanceUID for ds in slices}) == 1
        and len({ds.SliceLocation for ds in slices}) == 4
    )
    study = samples.nuclear_study("ge-pet", (221.6, 219.4), 2)
    by_series = {
        (
            ds.SeriesInstanceUID,
            float(ds.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose),
        )
        for ds in study
    }
    assert (
        len(study) == 4
        and {dose for _, dose in by_series} == {221.6e6, 219.4e6}
        and len(by_series) == 2
    )


@pytest.mark.parametrize("name", samples.NUCLEAR_ODDITIES)
@pytest.mark.parametrize("kind", ["ge-pet", "ge-nm"])
def test_every_nuclear_oddity_changes_the_header(kind: str, name: str, tmp_path: Path) -> None:
    plain, odd = (part10(samples.nuclear_images(kind, 1, odd=which)[0]) for which in ("", name))
    assert plain != odd
    assert dcmdump(odd, tmp_path)


# CT
# ---


def test_ct_series_by_the_standard(tmp_path: Path) -> None:
    images = samples.ct_images("standard", [ct.LOCALIZER, ct.THORAX, ct.HEAD])
    thorax = [ds for ds in images if ds.SeriesNumber == 2]
    assert [ds.CTDIvol for ds in thorax] == list(ct.THORAX.ctdi) and len(images) == 1 + 10 + 8
    positions = [float(ds.ImagePositionPatient[2]) for ds in thorax]
    assert max(positions) - min(positions) + thorax[0].SliceThickness == ct.THORAX.length == 50
    assert ct.THORAX.mean_ctdi == pytest.approx(7.25)
    shown = dcmdump(part10(thorax[0]), tmp_path)
    assert float(shown["0018,9345"][0].value) == 6.1 and shown["0018,9345"][0].vr == "FD"
    assert shown["0018,9302"][0].value == "SPIRAL"
    assert (
        shown["0018,9311"][0].vr == "FD"
        and shown["0018,9307"][0].value == "40"
        and shown["0018,1150"][0].value == "500"
    )
    assert [ds.AcquisitionType for ds in (images[0], images[-1])] == ["CONSTANT_ANGLE", "SEQUENCED"]
    assert (
        images[-1].CTDIPhantomTypeCodeSequence[0].CodeValue == "113690"
        and "SpiralPitchFactor" not in images[-1]
    )
    assert images[0].ImageType[2] == "LOCALIZER"


def test_two_reconstructions_share_their_acquisition() -> None:
    for with_uid in (True, False):
        images = samples.ct_images("standard", samples.two_reconstructions(), event_uid=with_uid)
        soft, lung = ([ds for ds in images if ds.SeriesNumber == n] for n in (2, 3))
        assert {ds.AcquisitionNumber for ds in soft + lung} == {2}
        assert len({ds.AcquisitionTime for ds in soft + lung}) == 1
        assert len({ds.SeriesInstanceUID for ds in images}) == 3
        assert len({ds.get("IrradiationEventUID") for ds in images}) == (2 if with_uid else 1)
        assert {ds.ConvolutionKernel for ds in soft + lung} == {"STANDARD", "LUNG"}


@pytest.mark.parametrize("block", [0x10, 0x11])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_toshiba_private_block(block: int, as_bytes: bool, tmp_path: Path) -> None:
    ds = samples.ct_images("toshiba", [ct.THORAX], private_block=block, private_raw=as_bytes)[3]
    data = part10(ds)
    shown = dcmdump(data, tmp_path)
    assert shown[f"7005,00{block:02x}"][0].value == "TOSHIBA_MEC_CT3"
    assert "0018,9345" not in shown and "0018,9311" not in shown
    for element, value in ((0x63, 7.2), (0x40, 47.2)):
        packed = struct.pack("<HH", 0x7005, block << 8 | element)
        vr = b"UN\0\0\x08\0\0\0" if as_bytes else b"FD\x08\0"
        assert packed + vr + struct.pack("<d", value) in data
    assert (
        shown[f"7005,{block:02x}08"][0].value == "0.625"
        and shown[f"7005,{block:02x}23"][0].value == "0.984"
    )
    assert shown[f"7005,{block:02x}09"][0].value.count("1") == 64


def test_ge_private_blocks(tmp_path: Path) -> None:
    shown = dcmdump(part10(samples.ct_images("ge-old", [ct.THORAX])[0]), tmp_path)
    assert "0018,9345" not in shown and "0018,9307" not in shown
    assert shown["0043,1027"][0].value == "0.984:1" and shown["0019,1023"][0].value == "39.36"
    assert shown["0045,1001"][0].value == "64" and shown["0045,1002"][0].value == "0.625"


# Philips
# ---


def test_philips_dose_info_as_the_real_one(tmp_path: Path) -> None:
    rows = (di.SURVIEW, samples.DoseInfoRow(dlp=196.05), di.PORTAL)
    ds = samples.philips_dose_info(rows)
    assert (
        ds.ImageType[2] == "DOSE_INFO"
        and ds.SeriesDescription == "Dose Info"
        and ds.Modality == "CT"
    )
    assert [item.AcquisitionType for item in ds.ExposureDoseSequence] == [
        "CONSTANT_ANGLE",
        "SPIRAL",
        "SPIRAL",
    ]
    assert [item.CTDIvol for item in ds.ExposureDoseSequence] == [0, 7.2125, 11.325]
    assert "DateTime" not in str(ds.ExposureDoseSequence[0].get("AcquisitionDateTime"))
    assert ds.CommentsOnRadiationDose == (
        "Series #3 THORAX Average CTDIvol=7.2 DLP=196.1\r\n"
        "Series #5 PORTAL VENOUS Average CTDIvol=11.5 DLP=248.6\r\nTotal DLP=444.7"
    )
    shown = dcmdump(part10(ds), tmp_path)
    assert [bytes.fromhex(e.value.replace("\\", "")).strip() for e in shown["00e1,1021"]] == [
        b"0",
        b"196.05",
        b"248.625",
        b"444.675",
    ]
    assert {e.vr for e in shown["00e1,1021"]} == {"UN"} and {
        e.value for e in shown["0008,002a"]
    } == {""}
    assert shown["0018,8151"][1].value == "165250"


def test_philips_variants(tmp_path: Path) -> None:
    moved = dcmdump(
        part10(samples.philips_dose_info(kind="ict", block=0x11, times="given")), tmp_path
    )
    assert {e.value for e in moved["00e1,0010"]} == {"SAMPLE OTHER"} and {
        e.value for e in moved["00e1,0011"]
    } == {"ELSCINT1"}
    assert bytes.fromhex(moved["00e1,1121"][1].value.replace("\\", "")) == b"196.05"
    assert bytes.fromhex(moved["00e1,1021"][1].value.replace("\\", "")) == b"9999.9"
    assert bytes.fromhex(moved["01e1,1126"][0].value.replace("\\", "")) == b"32 CM "
    assert bytes.fromhex(moved["01f1,1127"][0].value.replace("\\", "")) == b"0.75"
    assert moved["0008,002a"][0].value == "20250314092853"
    bare = samples.philips_dose_info(
        private=False,
        comment=None,
        times="missing",
        image_type="DOSE-INFO",
        series_description="Dose",
    )
    assert not [e for e in bare if e.tag.is_private] and "CommentsOnRadiationDose" not in bare
    assert (
        "AcquisitionDateTime" not in bare.ExposureDoseSequence[0]
        and bare.ImageType[2] == "DOSE-INFO"
    )
    assert "ExposureDoseSequence" not in samples.philips_dose_info(sequence=False)
    assert samples.philips_dose_info(comment="free text").CommentsOnRadiationDose == "free text"


# Against real objects
# ---

REAL: dict[str, Callable[[], Dataset]] = {
    "DX-Im-Carestream_DRX": lambda: samples.radiography_image("carestream-drx"),
    "DX-Im-GE_XR220-1": lambda: samples.radiography_image("ge-xr220"),
    "MG-Im-GE-SenDS-scaled": lambda: samples.mammography_image("ge-ds"),
    "MG-Im-Hologic-PropProj": lambda: samples.mammography_image(
        "hologic-tomo", unknown_vrs="explicit"
    ),
    "CT-SC-Philips_Brilliance16P": lambda: samples.philips_dose_info(),
    "NM-PetIm-GE": lambda: samples.nuclear_images("ge-pet")[0],
}
# What carries dose or how it came about; in the sequences of Philips and PET too.
DOSE = (
    "KVP XRayTubeCurrent ExposureTime Exposure ExposureInuAs ExposureInmAs "
    "ImageAndFluoroscopyAreaDoseProduct "
    "ExposureIndex TargetExposureIndex DeviationIndex RelativeXRayExposure Sensitivity OrganDose "
    "EntranceDose "
    "EntranceDoseInmGy CompressionForce BodyPartThickness AnodeTargetMaterial FilterMaterial "
    "ImageLaterality "
    "Laterality CTDIvol CommentsOnRadiationDose ExposureTimeInuS XRayTubeCurrentInuA ScanLength "
    "AcquisitionType "
    "SpiralPitchFactor TotalCollimationWidth RadionuclideTotalDose RadionuclideHalfLife "
    "RadiopharmaceuticalStartTime Radiopharmaceutical RadiopharmaceuticalStartDateTime "
    "RadionuclidePositronFraction HalfValueLayer ViewCodeSequence"
).split()


def of_dose(ds: Dataset) -> set[tuple[str, str]]:
    """(keyword, VR) of the attributes of dose, VRs as they stand in the file."""
    found = set()
    for part in (
        ds,
        *ds.get("ExposureDoseSequence", []),
        *ds.get("RadiopharmaceuticalInformationSequence", []),
    ):
        for tag in part.keys():  # noqa: SIM118  (a data set goes over its elements)
            keyword = pydicom.datadict.keyword_for_tag(tag)
            if keyword in DOSE:
                found.add((keyword, part._dict[tag].VR))
    return found


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the real objects are not beside the repository")
@pytest.mark.parametrize("name", REAL)
def test_what_the_real_object_gives_the_made_one_gives_in_the_same_form(name: str) -> None:
    real = pydicom.dcmread(CORPUS / f"{name}.dcm", stop_before_pixels=True)
    missing = of_dose(real) - of_dose(reread(REAL[name]()))
    assert not missing
