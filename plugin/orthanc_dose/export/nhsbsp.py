"""The list of exposures of a mammography dose survey of the NHS Breast Screening Programme.

It is pasted into the table of exposures of the breast dose survey software of the National
Co-ordinating Centre for the Physics of Mammography (K. Young, "Breast dose surveys in the NHSBSP:
software and instruction manual", NHSBSP 2004 and later). Its columns, the exposures to exclude and
the names of views are from OpenREM's documentation, "NHSBSP dose audits", and the first line of its
files. The software calculates the glandular dose itself: the form has none.

An examination is a patient: the survey gives doses for each woman and visit.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..cells import BOM, line
from ..dicom import concepts
from .forms import ELEMENTS
from .selection import Progress, Selection

TITLES = ("Survey number", "Patient number", "View code", "kV", "Anode", "Filter", "Thickness", "mAs", "large cassette used",
          "auto/man", "Auto mode", "Density setting", "Age", "Comment", "AEC density mode")  # fmt: skip
# The user enters the number of the survey into the form, as OpenREM's documentation describes.
SURVEY = 1
# Exposures whose acquisition protocol contains one of these words are not mammograms of the survey.
LEFT_OUT = ("scout", "postclip", "prefire", "biopsy", "postfire", "stereo", "specimen", "artefact")
SPECIMEN = "SCT:127457009"  # tissue specimen from breast, a view of CID 4014

# PS3.16 CID 4014, View for Mammography: the ACR MQCM 1999 equivalents, except for MLO, which the
# NHSBSP calls OB.
VIEWS = {
    "SCT:399260004": "ML", concepts.MLO.key: "OB", "SCT:399352003": "LM", "SCT:399099002": "LMO", concepts.CC.key: "CC",
    "SCT:399196006": "FB", "SCT:399188001": "SIO", "SCT:441555000": "ISO", "SCT:399192008": "XCCL", "SCT:399101009": "XCCM",
}  # fmt: skip
# Images without a code give the view as a word in (0018,5101), which is the ACR's.
_WORDS = {name: name for name in VIEWS.values()} | {"MLO": "OB"}
# PS3.16 CID 4015, View Modifier for Mammography: before the view, after it, or in its place.
PREFIXES = {"SCT:399163009": "M", "SCT:399055006": "S"}
SUFFIXES = {
    "SCT:399197002": "RL",
    "SCT:399226006": "RM",
    "SCT:414493004": "RI",
    "SCT:415670009": "RS",
    "SCT:399209000": "ID",
    "SCT:442581004": "NP",
    "SCT:441752004": "AC",
    "SCT:442593008": "IMF",
    "SCT:442580003": "AX",
}
INSTEAD = {"SCT:399161006": "CV", "SCT:399011000": "AT", "SCT:399110001": "TAN"}
_SIDES = {
    concepts.LEFT.key: "L",
    concepts.RIGHT.key: "R",
    concepts.LEFT_BREAST.key: "L",
    concepts.RIGHT_BREAST.key: "R",
}

_QUERY = """
    SELECT s.id, t.laterality, t.image_view, t.image_view_modifiers, t.acquisition_protocol, t.kvp,
    t.anode_target_material,
        t.xray_filters, t.compression_thickness, t.exposure / 1000, t.exposure_control_mode,
        s.patient_age
    FROM hit JOIN study s USING (id) JOIN projection_event t ON t.study_id = s.id ORDER BY hit.n,
    t.event_number
"""
Code = dict[str, str | None]


def view_code(
    laterality: Code | None, view: Code | None, modifiers: Sequence[Code] | None
) -> str | None:
    """Return side and view as the NHSBSP calls them, as LOB or RMCC; None if either is missing."""
    side = _SIDES.get(_key(laterality))
    if side is None or view is None:
        return None
    written = (view["meaning"] or "").strip()
    name = VIEWS.get(_key(view)) or _WORDS.get(written.upper(), written)
    keys = [_key(one) for one in modifiers or ()]
    name = next((INSTEAD[one] for one in keys if one in INSTEAD), name)
    before = "".join(PREFIXES[one] for one in keys if one in PREFIXES)
    behind = "".join(SUFFIXES[one] for one in keys if one in SUFFIXES)
    return f"{side}{before}{name}{behind}" if name else None


def left_out(protocol: str | None, view: Code | None) -> bool:
    return any(word in (protocol or "").lower() for word in LEFT_OUT) or _key(view) == SPECIMEN


def write_nhsbsp(chosen: Selection, path: Path, progress: Progress) -> None:
    """Write a CSV of the exposures of a selection, one exposure per line."""
    with open(path, "wb") as file:
        file.write(BOM + line(TITLES))
        for patient, row in _lines(chosen):
            file.write(line(row))
            progress(patient, chosen.total)
    progress(chosen.total, chosen.total)


def _lines(chosen: Selection) -> Iterator[tuple[int, list[str | float | None]]]:
    """Yield each exposure of the survey, with its patient's number."""
    patient, last, views = 0, None, Counter[str]()
    exposures = chosen.connection.execute(_QUERY)
    while portion := exposures.fetchmany(1_000):
        for (
            study,
            side,
            view,
            modifiers,
            protocol,
            kvp,
            anode,
            filters,
            thickness,
            mas,
            control,
            age,
        ) in portion:
            if left_out(protocol, view):
                continue
            if study != last:
                patient, last, views = patient + 1, study, Counter()
            name = view_code(side, view, modifiers)
            if name:
                views[name] += 1
                name += str(views[name]) if views[name] > 1 else ""
            yield (
                patient,
                [
                    SURVEY,
                    patient,
                    name,
                    kvp,
                    _element(anode),
                    _filter(filters),
                    thickness,
                    mas,
                    None,
                    _automatic(control),
                    control,
                    None,
                    age,
                    None,
                    None,
                ],
            )


def _automatic(control: str | None) -> str | None:
    """Return (0018,7060) Exposure Control Mode in the form's words, or None."""
    return {"MANUAL": "MANUAL", "AUTOMATIC": "AUTO"}.get((control or "").upper())


def _filter(filters: Sequence[dict[str, Any]] | None) -> str | None:
    materials = {_element(one["material"]): None for one in filters or () if one["material"]}
    return "+".join(filter(None, materials)) or None


def _element(material: Code | None) -> str | None:
    return None if material is None else ELEMENTS.get(_key(material), material["meaning"])


def _key(code: Code | None) -> str:
    return f"{code['scheme']}:{code['value']}" if code else ""
