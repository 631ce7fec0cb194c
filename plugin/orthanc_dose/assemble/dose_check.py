"""Dose check (NEMA XR 25): whether the dose that a CT scanner expected reached a configured value."""

from ..extract.rows import value_of
from ..records.ct import DOSE_CHECK, DoseLimit
from ..records.rows import EventRow

_LIMITS = tuple(limit for check in DOSE_CHECK for limit in check.limits)


def reached_limits(event: EventRow) -> dict[str, bool | None]:
    """Return, for each `DoseLimit.reached`, whether the event reached the limit.

    None if the event lacks the limit or the expected dose.
    """
    return {limit.reached: _is_reached(event, limit) for limit in _LIMITS}


def _is_reached(event: EventRow, limit: DoseLimit) -> bool | None:
    value, estimate = value_of(event, limit.value), value_of(event, limit.estimate)
    return None if value is None or estimate is None else bool(estimate >= value)
