"""Effective doses of single events by coefficients for a reference person.

E = k * DLP for CT, by region, age, phantom and tube voltage; E = e * A for nuclear medicine, by agent
and age; E = c * DAP for projection X-ray, with coefficients that the user enters. There is no value
unless the table has a coefficient for exactly this case: no other age, phantom or voltage stands in.
These are estimates for a reference person of the table, not for the patient.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from .estimate import Estimate, Input, is_doubted, key_of, number, rounded, text
from .regions import region_of
from .ssde import PHANTOMS, is_localizer
from .tables import Coefficient, CoefficientTable

QUANTITY = "effective_dose"
_CM2_PER_M2 = 1e4
_SAME_KV = 0.5  # systems state 119.8 kV for 120 kV


class _Missing(Exception):
    """Raised where an estimate is not possible; the argument is the reason."""


class _Made:
    """An estimate in the making: the table and the inputs so far."""

    def __init__(self, table: CoefficientTable) -> None:
        self.table = table
        self.inputs: list[Input] = []

    def none(self, reason: str) -> Estimate:
        return self._estimate(reason=reason)

    def value(self, coefficient: Coefficient, quantity: float) -> Estimate:
        name = "coefficient"
        self.inputs.append(number(name, coefficient.value, self.table.unit, self.table.key))
        return self._estimate(value=rounded(coefficient.value * quantity))

    def _estimate(self, **result: Any) -> Estimate:
        return Estimate(
            QUANTITY,
            **result,
            table_key=self.table.key,
            table_version=self.table.version,
            weights=self.table.weights,
            inputs=tuple(self.inputs),
        )

    def dose(self, event: Mapping[str, Any], table: str, name: str, unit: str) -> float:
        """Return the dose of the event that is multiplied. Raises _Missing."""
        found = event.get(name)
        if found is None:
            raise _Missing("no_dose")
        if is_doubted(event, name):
            raise _Missing("doubted")
        self.inputs.append(number(name, found, unit, f"{table}.{name}"))
        return float(found)

    def age(self, study: Mapping[str, Any]) -> float:
        """Return the age of the patient in years. Raises _Missing."""
        found = study.get("patient_age")
        if found is None:
            raise _Missing("no_age")
        if is_doubted(study, "patient_age"):
            raise _Missing("doubted")
        self.inputs.append(number("patient_age", found, "a", "study.patient_age"))
        return float(found)

    def for_age(self, rows: Iterable[Coefficient], age: float) -> list[Coefficient]:
        """Return the rows for an age. Raises _Missing if there is none."""
        found = [row for row in rows if row.is_for_age(age)]
        if not found:
            raise _Missing("age_outside_table")
        return found


def of_ct(
    event: Mapping[str, Any],
    study: Mapping[str, Any],
    table: CoefficientTable,
    names: Iterable[str] = (),
) -> Estimate:
    """Return the effective dose of a CT event in mSv.

    names: standard names of its protocol or study, for events without a target region. Localizers
    have none: the coefficients are those of a rotating tube.
    """
    made = _Made(table)
    if is_localizer(event):
        return made.none("localizer")
    try:
        dlp = made.dose(event, "ct_event", "dlp", "mGy.cm")
        found = region_of(event, names)
        if found is None:
            raise _Missing("no_region")
        region, origin = found
        made.inputs.append(text("region", region, origin))
        if region not in table.rows:
            raise _Missing("region_outside_table")
        rows = made.for_age(table.rows[region], made.age(study))
        return made.value(_for_voltage(made, event, _for_phantom(made, event, rows)), dlp)
    except _Missing as missing:
        return made.none(str(missing))


def _for_phantom(
    made: _Made, event: Mapping[str, Any], rows: list[Coefficient]
) -> list[Coefficient]:
    key = key_of(event.get("ctdiw_phantom_type"))
    if key is None:
        raise _Missing("no_phantom")
    made.inputs.append(text("ctdiw_phantom_type", key, "ct_event.ctdiw_phantom_type"))
    found = [row for row in rows if row.phantom == PHANTOMS.get(key)]
    if not found:
        raise _Missing("other_phantom")
    return found


def _for_voltage(made: _Made, event: Mapping[str, Any], rows: list[Coefficient]) -> Coefficient:
    if rows[0].kv is None:
        return rows[0]
    stated = {one.get("kvp") for one in event.get("xray_sources") or ()} - {None, 0.0}
    if not stated:
        raise _Missing("no_kvp")
    if len(stated) > 1:
        raise _Missing("several_kvp")
    kvp = stated.pop()
    made.inputs.append(number("kvp", kvp, "kV", "ct_event.xray_sources.kvp"))
    for row in rows:
        if row.kv is None or abs(row.kv - kvp) <= _SAME_KV:
            return row
    raise _Missing("kvp_outside_table")


def of_administration(
    event: Mapping[str, Any], study: Mapping[str, Any], table: CoefficientTable
) -> Estimate:
    """Return the effective dose of an administration of a radiopharmaceutical in mSv.

    The agent is known by its code alone.
    """
    made = _Made(table)
    try:
        activity = made.dose(event, "nm_administration", "administered_activity", "MBq")
        agent = key_of(event.get("radiopharmaceutical_agent"))
        if agent is None:
            raise _Missing("no_agent")
        made.inputs.append(
            text("radiopharmaceutical_agent", agent, "nm_administration.radiopharmaceutical_agent")
        )
        if agent not in table.rows:
            raise _Missing("agent_outside_table")
        [row] = made.for_age(table.rows[agent], made.age(study))
        return made.value(row, activity)
    except _Missing as missing:
        return made.none(str(missing))


def of_projection(
    event: Mapping[str, Any],
    study: Mapping[str, Any],
    table: CoefficientTable,
    names: Iterable[str] = (),
) -> Estimate:
    """Return the effective dose of a projection X-ray event in mSv, by the user's coefficients.

    A coefficient is for events whose acquisition protocol, or else a standard name, matches its
    pattern with the wildcards * ? [seq] [!seq]; case is ignored. If several patterns match, there is
    no value.
    """
    made = _Made(table)
    try:
        dap = made.dose(event, "projection_event", "dap", "Gy.m2")
        protocol = event.get("acquisition_protocol")
        found = _matching(table, [protocol] if protocol else [])
        origin = "projection_event.acquisition_protocol"
        if not found:
            found, origin = _matching(table, names), "standard_name"
        if not found:
            raise _Missing("protocol_outside_table")
        if len(found) > 1:
            raise _Missing("several_patterns")
        made.inputs.append(text("pattern", found[0], origin))
        [row] = made.for_age(table.rows[found[0]], made.age(study))
        return made.value(row, dap * _CM2_PER_M2)
    except _Missing as missing:
        return made.none(str(missing))


def _matching(table: CoefficientTable, names: Iterable[str]) -> list[str]:
    folded = [name.casefold() for name in names]
    return [pattern for pattern in table.rows if any(fnmatchcase(name, pattern) for name in folded)]
