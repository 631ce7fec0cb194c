"""The size-specific dose estimate of a CT event from the size that its report gives.

AAPM report 204 (2011): SSDE = f(D) * CTDIvol, with f by effective diameter and by the phantom to
which CTDIvol refers; AAPM report 220 (2014) puts the water-equivalent diameter in its place. The
phantom is that of the event, never guessed from the region. There is no value outside the tabulated
diameters, and none for localizers. What the report states as SSDE is used as it is.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..dicom import concepts
from .estimate import Estimate, Input, is_doubted, key_of, number, rounded, text
from .tables import size_table

PHANTOMS = {concepts.HEAD_PHANTOM.key: "head", concepts.BODY_PHANTOM.key: "body"}
REPORTED = "reported"  # stands for a table where the report states the value

# Size-specific Dose Estimation Method for CT (CID 10023), the most specific first.
_MEAN_OF_Z, _BY_DW, _BY_SUM = "DCM:113989", "DCM:113988", "DCM:113936"
_BY_LATERAL, _BY_AP, _BY_AGE = "DCM:113934", "DCM:113935", "DCM:113937"
_ORDER = (_MEAN_OF_Z, _BY_DW, _BY_SUM, _BY_LATERAL, _BY_AP, _BY_AGE)
_LIST = "size_specific_dose_estimates"
_FIELD = f"ct_event.{_LIST}"
_MM_PER_CM = 10.0


def is_localizer(event: Mapping[str, Any]) -> bool:
    """Return whether the event is a localizer: its tube stands still while the table moves."""
    return key_of(event.get("ct_acquisition_type")) == concepts.CONSTANT_ANGLE.key


def conversion_factor(diameter: float, phantom: str) -> float | None:
    """Return the factor from CTDIvol to SSDE, or None outside the tabulated diameters.

    diameter: effective or water-equivalent, in cm; phantom: "head" (16 cm) or "body" (32 cm).
    """
    fit = size_table().fits[phantom]
    if not fit.low <= diameter <= fit.high:
        return None
    return fit.a * math.exp(-fit.b * diameter)


def ssde_of(event: Mapping[str, Any]) -> Estimate:
    """Return the SSDE of a CT event in mGy."""
    if is_localizer(event):
        return _none("localizer")
    sizes = event.get(_LIST) or ()
    if reported := _reported(sizes):
        return _none("doubted") if is_doubted(event, f"{_LIST}.ssde") else reported
    size = _size(sizes)
    if size is None:
        one_only = any(
            _given(one, "measured_lateral_dimension") or _given(one, "measured_ap_dimension")
            for one in sizes
        )
        return _none("one_dimension" if one_only else "no_size")
    diameter, method, inputs = size
    # A mark does not say of which entry of the list it is.
    if any(is_doubted(event, f"{_LIST}.{one.name}") for one in inputs):
        return _none("doubted", inputs)
    ctdivol = event.get("mean_ctdivol")
    if not ctdivol:
        return _none("no_ctdivol", inputs)
    if is_doubted(event, "mean_ctdivol"):
        return _none("doubted", inputs)
    inputs = (number("mean_ctdivol", ctdivol, "mGy", "ct_event.mean_ctdivol"), *inputs)
    phantom_key = key_of(event.get("ctdiw_phantom_type"))
    if phantom_key is None:
        return _none("no_phantom", inputs)
    inputs = (*inputs, text("ctdiw_phantom_type", phantom_key, "ct_event.ctdiw_phantom_type"))
    phantom = PHANTOMS.get(phantom_key)
    if phantom is None:
        return _none("other_phantom", inputs)
    factor = conversion_factor(diameter, phantom)
    if factor is None:
        return _none("size_outside_table", inputs)
    table = size_table()
    return Estimate(
        "ssde",
        rounded(factor * ctdivol),
        method=method,
        table_key=table.key,
        table_version=table.version,
        inputs=(*inputs, number("factor", rounded(factor), "1", table.key)),
    )


def _none(reason: str, inputs: tuple[Input, ...] = ()) -> Estimate:
    table = size_table()
    return Estimate(
        "ssde", reason=reason, table_key=table.key, table_version=table.version, inputs=inputs
    )


def _given(size: Mapping[str, Any], name: str) -> float | None:
    value = size.get(name)
    return value or None


def _rank(size: Mapping[str, Any]) -> int:
    method = key_of(size.get("measurement_method"))
    return _ORDER.index(method) if method in _ORDER else len(_ORDER)


def _reported(sizes: Iterable[Mapping[str, Any]]) -> Estimate | None:
    """Return the SSDE that the report states, of several that of the most specific method."""
    stated = sorted((one for one in sizes if _given(one, "ssde")), key=_rank)
    if not stated:
        return None
    best = stated[0]
    return Estimate(
        "ssde",
        best["ssde"],
        method=key_of(best.get("measurement_method")),
        table_key=REPORTED,
        inputs=(number("ssde", best["ssde"], "mGy", _FIELD),),
    )


def _size(
    sizes: Sequence[Mapping[str, Any]],
) -> tuple[float, str | None, tuple[Input, ...]] | None:
    """Return the diameter in cm, the method's code (None if it is not known), and what it is from.

    The water-equivalent diameter comes first, since it includes attenuation (AAPM report 220), then
    both dimensions, then the effective diameter that the report derived.
    """
    for one in sizes:
        if width := _given(one, "water_equivalent_diameter"):
            return width / _MM_PER_CM, _BY_DW, _inputs(one, "water_equivalent_diameter")
    for one in sizes:
        lateral, ap = (
            _given(one, "measured_lateral_dimension"),
            _given(one, "measured_ap_dimension"),
        )
        if lateral and ap:
            inputs = _inputs(one, "measured_lateral_dimension", "measured_ap_dimension")
            return math.sqrt(lateral * ap) / _MM_PER_CM, _BY_SUM, inputs
    for one in sizes:
        if derived := _given(one, "derived_effective_diameter"):
            stated = key_of(one.get("measurement_method"))
            method = stated if stated in (_BY_SUM, _BY_LATERAL, _BY_AP, _BY_AGE) else None
            return derived / _MM_PER_CM, method, _inputs(one, "derived_effective_diameter")
    return None


def _inputs(size: Mapping[str, Any], *names: str) -> tuple[Input, ...]:
    return tuple(number(name, size[name], "mm", f"{_FIELD}.{name}") for name in names)
