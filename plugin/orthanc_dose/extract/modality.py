"""The modality type of a dose report: CT, MG, RF or DX. One rule, in this order:

1. CT: the report holds CT dose (TID 10011 to 10013), or the procedure reported is Computed
   Tomography.
2. MG: the procedure reported is Mammography, or an average glandular dose is given.
3. RF: an irradiation event is of type Fluoroscopy, or fluoroscopy time, DAP or dose at reference
   point is above zero.
   What was done takes precedence over what the device calls itself, since equipment states its
   type wrongly.
4. By Acquisition Device Type, if given: RF for Fluoroscopy-Guided, DX for Integrated and
   Cassette-based Projection Radiography Systems (PS3.16 CID 10032).
5. DX: an event has an exposure index, or the accumulated dose names a detector type (TID 10006).
6. RF: an event is rotational or stepping, or has a fluoro mode, a pulse rate, or angles of a
   positioner (a C-arm).
7. DX: everything else.
"""

from collections.abc import Sequence

from ..dicom import concepts
from ..records.rows import AccumulatedRow, CodeValue, EventRow, StudyRow
from .rows import value_of

CT_PROCEDURE, MAMMOGRAPHY = "SCT:77477000", "SCT:71651007"
_MOVING = frozenset({concepts.STEPPING_ACQUISITION.key, concepts.ROTATIONAL_ACQUISITION.key})
_DEVICE_TYPES = {"DCM:113957": "RF", "DCM:113958": "DX", "DCM:113959": "DX"}


def canonical_code(code: CodeValue | None) -> str | None:
    """Return the canonical key of a code in a row."""
    return f"{code['scheme']}:{code['value']}" if code and code["value"] else None


def decide_modality(
    holds_ct: bool,
    study: StudyRow,
    accumulated: Sequence[AccumulatedRow],
    events: Sequence[EventRow],
    dual: bool = False,
) -> str:
    """Return the modality type of a report from its rows, by the rule above.

    dual: whether the system does both radiography and fluoroscopy and calls itself one of them in
    each report; rule 4 is then skipped."""
    procedure = canonical_code(study.get("procedure_reported"))
    if holds_ct or procedure == CT_PROCEDURE:
        return "CT"
    if procedure == MAMMOGRAPHY or any(row.get("accumulated_agd") for row in accumulated):
        return "MG"
    if any(row.get("average_glandular_dose") is not None for row in events):
        return "MG"
    types = {canonical_code(row.get("irradiation_event_type")) for row in events}
    fluoroscopy = ("total_fluoro_time", "fluoro_dap_total", "fluoro_dose_rp_total")
    if concepts.FLUOROSCOPY.key in types or any(
        (value_of(row, name) or 0) > 0 for row in accumulated for name in fluoroscopy
    ):
        return "RF"
    device = _DEVICE_TYPES.get(canonical_code(study.get("acquisition_device_type")) or "")
    if device and not dual:
        return device
    if any(row.get("exposure_index") is not None for row in events):
        return "DX"
    if any(row.get("detector_type") for row in accumulated):
        return "DX"
    of_c_arm = (
        "fluoro_mode",
        "pulse_rate",
        "positioner_primary_angle",
        "positioner_isocenter_primary_angle",
    )
    if types & _MOVING or any(
        value_of(row, name) is not None for row in events for name in of_c_arm
    ):
        return "RF"
    return "DX"
