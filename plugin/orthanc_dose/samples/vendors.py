"""Manufacturers of equipment and their habits in writing dose reports, as data.

Each entry says how one family of systems departs from the standard: spelling of codes and units,
what it leaves out, character set, times. The builders write what the standard says; the entry
modifies it."""

from dataclasses import dataclass, field, replace
from typing import Any

from orthanc_dose.samples.codes import EXPOSURE_TIME_RETIRED
from orthanc_dose.samples.sr import Spelling

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"


@dataclass(frozen=True)
class Vendor:
    """Names and habits of one family of systems.

    template: writes the Content Template Sequence. fraction: number of digits of the fraction of a
    second in date-times. offset: appended to date-times of content items. timezone: Timezone Offset
    From UTC of the header. comment_xml: writes position and field size as XML in the Comment, as
    Siemens angiography does."""

    key: str
    manufacturer: str
    model: str
    software: str
    kinds: tuple[str, ...]
    spelling: Spelling = field(default_factory=Spelling)
    sop_class: str = DOSE_SR
    template: bool = True
    fraction: int = 0
    offset: str = ""
    timezone: str = ""
    comment_xml: bool = False

    @property
    def character_set(self) -> str:
        return self.spelling.character_set


def _srt(**more: Any) -> Spelling:
    return Spelling(**{"scheme": "SRT", "character_set": "ISO_IR 100", **more})


def _retired_time(**more: Any) -> Spelling:
    return _srt(replaced={"113824": EXPOSURE_TIME_RETIRED}, **more)


def _no(*codes: str) -> frozenset[str]:
    return frozenset(codes)


_ENTRIES = (
    # The current standard as it is.
    Vendor(
        "standard",
        "Sample Devices",
        "Reference One",
        "1.0",
        ("ct", "rf", "dx", "mg"),
        timezone="+0000",
    ),
    # CT
    Vendor("ge-ct", "GE MEDICAL SYSTEMS", "Revolution EVO", "revo_ct_22bc.50", ("ct",), _srt()),
    Vendor(
        "ge-esr",
        "GE Medical Systems",
        "LightSpeed VCT",
        "gmp_vct.42",
        ("ct",),
        _srt(
            units={"mGy.cm": ("mGycm", 1), "{X-Ray sources}": ("X-ray sources", 1)},
            character_set="",
            continuity="CONTINUOUS",
        ),
        sop_class=ENHANCED_SR,
    ),
    Vendor(
        "siemens-ct",
        "SIEMENS",
        "SOMATOM Definition Flash",
        "syngo CT VA48A",
        ("ct",),
        _srt(units={"mGy.cm": ("mGycm", 1)}),
        fraction=6,
    ),
    Vendor(
        "siemens-ct-new",
        "Siemens Healthineers",
        "NAEOTOM Alpha",
        "syngo CT VB10A",
        ("ct",),
        Spelling(scheme_version="1.4"),
        fraction=6,
        timezone="+0100",
        offset="+0100",
    ),
    Vendor(
        "philips-ct",
        "Philips",
        "Incisive CT",
        "5.0.0",
        ("ct",),
        _srt(omitted=_no("113813"), character_set="ISO_IR 192"),
        fraction=3,
    ),
    Vendor(
        "toshiba-ct",
        "TOSHIBA",
        "Aquilion ONE",
        "V7.0",
        ("ct",),
        _srt(zero=_no("113813"), character_set="\\ISO 2022 IR 87"),
        fraction=3,
    ),
    Vendor(
        "canon-ct",
        "Canon Medical Systems",
        "Aquilion Prime SP",
        "V10.7",
        ("ct",),
        Spelling(),
        fraction=3,
    ),
    # Fluoroscopy and angiography
    Vendor(
        "siemens-xa",
        "Siemens",
        "AXIOM-Artis",
        "VC14J 161005",
        ("rf",),
        _retired_time(units={"Gy.m2": ("Gym2", 1), "uA.s": ("uAs", 1)}),
        comment_xml=True,
    ),
    Vendor(
        "philips-xa",
        "Philips Medical Systems",
        "AlluraClarity",
        "8.2.1",
        ("rf",),
        _retired_time(omitted=_no("113824", "113742"), character_set="\\ISO 2022 IR 87"),
        fraction=3,
    ),
    Vendor(
        "canon-xa",
        "Canon Medical Systems",
        "INFX-8000V",
        "V6.35",
        ("rf",),
        Spelling(),
        offset="+0900",
        timezone="+0900",
    ),
    Vendor(
        "canon-ultimax",
        "TOSHIBA_MEC",
        "Ultimax-i",
        "V3.00",
        ("rf",),
        _srt(units={"Gy.m2": ("dGy.cm2", 1e5), "Gy": ("mGy", 1e3)}),
    ),
    Vendor(
        "ge-xa",
        "GE MEDICAL SYSTEMS",
        "Innova IGS 530",
        "54.24",
        ("rf",),
        _srt(character_set="ISO_IR 192"),
    ),
    Vendor(
        "ge-oec",
        "GE OEC Medical Systems",
        "OEC Elite MiniView",
        "1.1",
        ("rf",),
        _srt(
            units={"{pulse}/s": ("pulse/s", 1)}, empty=_no("112011", "112012", "113739", "113740")
        ),
        template=False,
    ),
    Vendor(
        "ziehm",
        "Ziehm Imaging",
        "Vision RFD 3D",
        "6.07",
        ("rf",),
        _srt(
            omitted=_no("113726", "113728", "113727", "113729", "113730", "113855"),
            character_set="",
        ),
    ),
    # Radiography
    Vendor(
        "canon-dx",
        "Canon Inc.",
        "CXDI Control Software NE",
        "2.16",
        ("dx",),
        _srt(empty=_no("113725", "113729", "113738")),
        fraction=3,
    ),
    Vendor(
        "siemens-dx",
        "SIEMENS",
        "Fluorospot Compact FD",
        "VE20",
        ("dx",),
        _srt(units={"Gy.m2": ("Gym2", 1), "uA.s": ("uAs", 1)}),
    ),
    Vendor(
        "agfa-dx",
        "Agfa",
        "DX-D 600",
        "NX 3.0",
        ("dx",),
        Spelling(character_set="ISO_IR 192"),
        timezone="+0200",
    ),
    # Mammography
    Vendor(
        "hologic",
        "HOLOGIC, Inc.",
        "Selenia Dimensions",
        "AWS:1.8.3",
        ("mg",),
        _srt(units={"uA.s": ("uAs", 1)}),
    ),
    Vendor(
        "hologic-snm3",
        "HOLOGIC, Inc.",
        "Lorad Selenia",
        "AWS:MAMMODROC_3_4",
        ("mg",),
        _srt(units={"uA.s": ("uAs", 1)}, scheme="SNM3"),
    ),
    Vendor(
        "ge-mg",
        "GE HEALTHCARE",
        "Senographe Pristina",
        "ADS_58.10",
        ("mg",),
        _srt(character_set="ISO_IR 192"),
    ),
    Vendor(
        "siemens-mg",
        "Siemens Healthineers",
        "MAMMOMAT Revelation",
        "VC20",
        ("mg",),
        Spelling(),
        fraction=6,
    ),
)

VENDORS: dict[str, Vendor] = {vendor.key: vendor for vendor in _ENTRIES}


def vendor(key: str | Vendor, **spelling: Any) -> Vendor:
    """Return the entry `key`, with single spelling habits changed: ``vendor("siemens-xa",
    scheme="SCT")``.
    """
    found = key if isinstance(key, Vendor) else VENDORS[key]
    return replace(found, spelling=replace(found.spelling, **spelling)) if spelling else found


def vendors_for(kind: str) -> list[Vendor]:
    """Return all manufacturers of systems of `kind` ("ct", "rf", "dx", "mg"), the standard's
    last."""
    return [v for v in _ENTRIES if kind in v.kinds and v.key != "standard"] + [VENDORS["standard"]]
