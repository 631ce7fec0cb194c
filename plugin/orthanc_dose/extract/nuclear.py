"""The Radiopharmaceutical Radiation Dose Report (TID 10021): administrations (TID 10022) with organ
doses (TID 10023), and the patient's state (TID 10024)."""

from ..dicom.dataset import Unreadable
from ..dicom.sr import Item
from ..records import NM_ADMINISTRATION
from ..records.rows import StudyRow
from . import content
from .extract import Extract
from .kept import Kept
from .rows import Node, by_name, compile_fields

ROOT = "DCM:113500"
_STUDY_TREE = content.study_tree("NM")
_ADMINISTRATIONS: dict[str, Node] = {"DCM:113502": compile_fields(NM_ADMINISTRATION.fields)}
_SEXES = {"M": "M", "F": "F", "121102": "O"}  # CID 7455, as Patient's Sex (0010,0040) writes it


def read(root: Item, kept: Kept) -> Extract:
    """Read everything that the report says. Raises Unreadable if it holds no administration."""
    found = content.read(kept, root.children, _STUDY_TREE, _ADMINISTRATIONS, {})
    if not found.events:
        raise Unreadable("the dose report contains no radiopharmaceutical administration")
    _fill_patient(found.study)
    return content.to_extract(kept, found, "NM")


def _fill_patient(study: StudyRow) -> None:
    """Fill in from the report what the header lacks about the patient."""
    row = by_name(study)
    for known in study.get("patient_characteristics") or ():
        height, sex = known.get("patient_height"), known.get("subject_sex")
        filled = {
            "patient_age": known.get("subject_age"),
            "patient_weight": known.get("patient_weight"),
            "patient_size": None if height is None else height / 100,
            "patient_sex": _SEXES.get(sex["value"] or "") if sex else None,
        }
        for name, value in filled.items():
            if row.get(name) is None and value:
                row[name] = value
