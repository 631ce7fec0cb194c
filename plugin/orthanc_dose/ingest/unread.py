"""Why objects of some SOP classes are not read for dose: the true reason for each kind of them."""

from ..dicom.sop_classes import below_storage, sop_class_name

CT_IMAGES_ARE_OFF = (
    "CT images are not read for dose data. This can be enabled on the Settings page, CT images "
    "(DoseFromCtImages in orthanc.json)."
)
_WITHOUT_RADIATION = (
    "Images and measurements of this SOP class are made without ionizing radiation."
)
_COMPUTED = (
    "Objects of this SOP class are computed from images or refer to them, and contain no dose data."
)
# By the beginning of the SOP Class UID below that of all storage classes; the longest that
# fits applies.
_REASONS = {
    "3": _WITHOUT_RADIATION,
    "4": _WITHOUT_RADIATION,
    "6": _WITHOUT_RADIATION,
    "9": _WITHOUT_RADIATION,
    "14": _WITHOUT_RADIATION,
    "77": _WITHOUT_RADIATION,
    "78": _WITHOUT_RADIATION,
    "79": _WITHOUT_RADIATION,
    "80": _WITHOUT_RADIATION,
    "81": _WITHOUT_RADIATION,
    "82": _WITHOUT_RADIATION,
    "68": _WITHOUT_RADIATION,
    "11": "Presentation states describe how images are shown, and contain no dose data.",
    "12": "Angiography and fluoroscopy images are not read, although they may contain dose data: "
    "much of an examination is not stored as images. Its dose report is read.",
    "30": _COMPUTED,
    "66": "Raw data are in the manufacturer's own format and are not read. They may contain dose "
    "data.",
    "66.1": _COMPUTED,
    "66.2": _COMPUTED,
    "66.3": _COMPUTED,
    "66.4": _COMPUTED,
    "66.5": _COMPUTED,
    "66.6": _COMPUTED,
    "67": _COMPUTED,
    "88": "Structured reports of this SOP class are not dose reports, and are not read.",
    "90": _COMPUTED,
    "91": _COMPUTED,
    "104": "Encapsulated documents are not read, even if they show dose data.",
    "200": "Protocols contain planned or set values, and are not read for dose data.",
    "481": "Objects of radiotherapy are not read: dose records are of imaging, not of treatment.",
}


def reason(sop_class_uid: str) -> str:
    """Return why objects of a class that no extractor reads are ignored, as a sentence."""
    if not sop_class_uid:
        return "The object does not state its SOP class, so it cannot be read for dose data."
    parts = below_storage(sop_class_uid).split(".")
    for length in range(len(parts), 0, -1):
        found = _REASONS.get(".".join(parts[:length]))
        if found is not None:
            return found
    if sop_class_name(sop_class_uid) is None:
        return (
            "The SOP class is not one of the standard's, so it is unknown whether and where the "
            "object contains dose data. It is not read."
        )
    return "Objects of this SOP class are not read for dose data."
