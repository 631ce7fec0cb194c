"""Links from what a chart shows to the list: the parameters that, replacing the list's own, leave
the studies behind it.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from .chart_types import Chart, Quantity
from .options import Options

Link = dict[str, str] | None  # None: no parameters express it
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Limits of filter parameters, in characters: of a name, and of a name as a term.
LONGEST, LONGEST_TERM = 1000, 300


def joined(*links: Link) -> Link:
    """Return the links combined; None if one of them is."""
    out: dict[str, str] = {}
    for link in links:
        if link is None:
            return None
        out |= link
    return out


def _bound(of: Quantity, role: str, value: float, is_open: bool = False) -> dict[str, str]:
    """Return the parameter of a lower or upper bound.

    An open bound excludes the value itself: filters have closed bounds, so the next representable
    number is used.
    """
    if of.filter.type == "integer":
        whole = math.ceil(value) if (role == "from") != is_open else math.floor(value)
        if is_open:
            whole += 1 if role == "from" else -1
        return {of.filter.parameter(role): str(whole)}
    if is_open:
        value = math.nextafter(value, math.inf if role == "from" else -math.inf)
    return {of.filter.parameter(role): repr(float(value))}


@dataclass
class Links:
    """Links of a chart. values: those by which the list is filtered. left_out: the number of values
    that are left out because they are marked as implausible."""

    chart: Chart
    options: Options
    values: dict[str, Any]
    left_out: int = 0

    def category(self, name: str | None, is_others: bool = False) -> Link:
        grouping = self.chart.grouping
        if is_others or grouping is None or (name is not None and len(name) > LONGEST):
            return None
        if name is None:
            return {grouping.filter.parameter("empty"): "yes"}
        if not self.options["ignore_case"]:
            return {grouping.filter.parameter("exactly"): name}
        term = '"' + name.replace('"', '""') + '"'
        return (
            {grouping.filter.parameter("is"): term}
            if name == name.strip() and len(term) <= LONGEST_TERM
            else None
        )

    def system(self, number: int | None) -> Link:
        return {} if number is None else {"equipment_id": str(number)}

    def leaves_out(self, of: Quantity) -> bool:
        """Return whether values of a quantity that are marked as implausible are left out."""
        return self.left_out > 0 and of.filter.can_be_implausible

    def given(self, of: Quantity | None = None) -> Link:
        """Return the link to studies or events whose value counts: that of the measure, if no other
        is given."""
        of = of or self.chart.measure
        if of is None:
            return {}
        return {of.filter.parameter("given"): "plausible" if self.leaves_out(of) else "yes"}

    def with_dose(self) -> Link:
        """Return the link to studies or events that have a dose."""
        return {self.chart.dose.filter.parameter("given"): "yes"}

    def between(self, of: Quantity, low: float, high: float, is_last: bool) -> Link:
        """Return the link to stored values from `low` to below `high`, or to `high` if is_last."""
        return _bound(of, "from", low) | _bound(of, "to", high, is_open=not is_last)

    def below(self, value: float) -> Link:
        """Return the link to stored values that are given and less than this one."""
        assert self.chart.measure is not None
        return joined(self.given(), _bound(self.chart.measure, "to", value, is_open=True))

    def above(self, value: float) -> Link:
        assert self.chart.measure is not None
        return joined(self.given(), _bound(self.chart.measure, "from", value, is_open=True))

    def days(self, first: date, last: date) -> Link:
        low, high = self.values.get("study_date_from"), self.values.get("study_date_to")
        first, last = max(first, low or first), min(last, high or last)
        return {"study_date_from": first.isoformat(), "study_date_to": last.isoformat()}

    def weekday(self, number: int | None) -> Link:
        """Return the link to a weekday. number: from 1, Monday; None for studies without a date."""
        return {"study_date_empty": "yes"} if number is None else {"weekday": _DAYS[number - 1]}

    def hour(self, hour: int | None) -> Link:
        if hour is None:
            return {"study_time_empty": "yes"}
        start, end = time(hour), (datetime.combine(date.min, time(hour)) + _HOUR).time()
        low, high = self.values.get("study_time_from"), self.values.get("study_time_to")
        if (
            low and high and low > high
        ):  # over midnight: the rest of the hour is before one or after the other
            if start <= high and end >= low:
                return None
            low, high = (None, high) if start <= high else (low, None)
        start, end = max(start, low or start), min(end, high or end)
        return {
            "study_time_from": _clock(start, (0, 0)),
            "study_time_to": _clock(end, (59, 999_999)),
        }


def _clock(at: time, edge: tuple[int, int]) -> str:
    """Return a time as hours and minutes if it is at the edge of a minute, else in full.

    edge: the seconds and microseconds at which a minute begins or ends: filters include the whole
    last minute.
    """
    return at.isoformat("minutes" if (at.second, at.microsecond) == edge else "auto")


_HOUR = timedelta(hours=1) - timedelta(microseconds=1)
