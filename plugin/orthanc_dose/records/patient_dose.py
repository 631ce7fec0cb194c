"""Estimates of organ doses that someone derived from the reports of a study: Patient Radiation Dose
SR (TID 10030 with 10031 and 10033). They are a field of the study for which they were made, not
doses in their own right."""

from . import limits
from .field import Field, code, num, structs, text, uid, uids

_SITE, _LATERALITY = "SCT:363698007", "SCT:272741003"
_METHODOLOGY = "128415"
_MODEL, _METHOD = f"{_METHODOLOGY}/128500", f"{_METHODOLOGY}/128476"


def _dose(name: str, title: str, unit: str, concept: str, source: str) -> Field:
    return num(
        name,
        title,
        unit,
        f"{concept}|{_SITE}/{concept}",
        source,
        limits=limits.ORGAN_DOSE_OF_X_RAYS,
    )


ORGAN_DOSE_ESTIMATES = structs(
    "organ_dose_estimates",
    "Organ dose estimates",
    "128402",
    "TID 10031",
    "Organ doses that were estimated from the dose reports of this study, each with its method "
    "and model.",
    uid("sop_instance_uid", "SOP instance UID", description="Object that contains the estimate."),
    text("name", "Name", "128403", "Radiation Dose Estimate Name"),
    code("finding_site", "Organ", _SITE, "CID 10060"),
    code("laterality", "Laterality", f"{_LATERALITY}|{_SITE}/{_LATERALITY}", "CID 244"),
    _dose("mean_absorbed_dose", "Mean absorbed dose", "mGy", "128533", "CID 10061"),
    _dose("maximum_absorbed_dose", "Maximum absorbed dose", "mGy", "128531", "CID 10061"),
    _dose("minimum_absorbed_dose", "Minimum absorbed dose", "mGy", "128532", "CID 10061"),
    _dose("median_absorbed_dose", "Median absorbed dose", "mGy", "128539", "CID 10061"),
    _dose("mode_absorbed_dose", "Mode of absorbed dose", "mGy", "128534", "CID 10061"),
    _dose("absorbed_dose", "Absorbed dose", "mGy", "128513", "CID 10070"),
    _dose("mean_equivalent_dose", "Mean equivalent dose", "mSv", "128537", "CID 10062"),
    _dose("maximum_equivalent_dose", "Maximum equivalent dose", "mSv", "128535", "CID 10062"),
    _dose("minimum_equivalent_dose", "Minimum equivalent dose", "mSv", "128536", "CID 10062"),
    _dose("median_equivalent_dose", "Median equivalent dose", "mSv", "128540", "CID 10062"),
    _dose("mode_equivalent_dose", "Mode of equivalent dose", "mSv", "128538", "CID 10062"),
    _dose("equivalent_dose", "Equivalent dose", "mSv", "128512", "CID 10070"),
    _dose("effective_dose", "Effective dose", "mSv", "113839", "Effective Dose (113839, DCM)"),
    uids("reports_used", "Reports used", f"{_METHODOLOGY}/128416", "TID 10033 row 2"),
    uids(
        "events_used",
        "Events used",
        f"{_METHODOLOGY}/128416/128429",
        "TID 10033 row 4",
        "Irradiation events used, if not all events of the reports were.",
    ),
    code("patient_model_type", "Patient model", f"{_MODEL}/128417", "TID 10033 row 6"),
    code(
        "radiation_transport_model_type",
        "Radiation transport model",
        f"{_MODEL}/128420",
        "TID 10033 row 7",
    ),
    text("model_reference", "Reference of the model", f"{_MODEL}/128426", "TID 10033 row 11"),
    text("model_comment", "Comment on the model", f"{_MODEL}/121106", "TID 10033 row 12"),
    code("method_type", "Method", f"{_METHOD}/128477|{_METHODOLOGY}/128477", "CID 10068"),
    text(
        "method_reference",
        "Reference of the method",
        f"{_METHOD}/128482|{_METHODOLOGY}/128482",
        "Radiation Dose Estimate Method Reference",
    ),
)
