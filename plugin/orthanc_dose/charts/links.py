"""From what a chart shows to the list: the parameters that, set in place of the list's own, leave
the studies behind it.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from .chart import Chart, Quantity
from .options import Options

Link = dict[str, str] | None  # None: no parameters say it
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Characters of a name, and of one as a term, that parameters of filters take.
LONGEST, LONGEST_TERM = 1000, 300


def joined(*links: Link) -> Link:
    """All of it together."""
    out: dict[str, str] = {}
    for link in links:
        if link is None:
            return None
        out |= link
    return out


def _bound(of: Quantity, role: str, value: float, is_open: bool = False) -> dict[str, str]:
    """From or to a value, without the value itself where the bound is open: filters have closed
    ones, so it is the next number that there is."""
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
    """values: those that the list is filtered by."""

    chart: Chart
    options: Options
    values: dict[str, Any]

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

    def given(self) -> Link:
        """That the value counts."""
        return {self.chart.measure.filter.parameter("given"): "yes"} if self.chart.measure else {}

    def between(self, of: Quantity, low: float, high: float, is_last: bool) -> Link:
        """Stored values from `low` to below `high`; of the last interval `high` as well."""
        return _bound(of, "from", low) | _bound(of, "to", high, is_open=not is_last)

    def below(self, value: float) -> Link:
        """Stored values that are given and less than this one."""
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
        """number: from 1, Monday; None for studies without a date."""
        return {"study_date_empty": "yes"} if number is None else {"weekday": _DAYS[number - 1]}

    def hour(self, hour: int | None) -> Link:
        if hour is None:
            return {"study_time_empty": "yes"}
        start, end = time(hour), (datetime.combine(date.min, time(hour)) + _HOUR).time()
        low, high = self.values.get("study_time_from"), self.values.get("study_time_to")
        if (
            low and high and low > high
        ):  # over midnight: what is left of the hour lies before one or after the other
            if start <= high and end >= low:
                return None
            low, high = (None, high) if start <= high else (low, None)
        start, end = max(start, low or start), min(end, high or end)
        return {
            "study_time_from": _clock(start, (0, 0)),
            "study_time_to": _clock(end, (59, 999_999)),
        }


def _clock(at: time, edge: tuple[int, int]) -> str:
    """As people write it, where a minute begins or ends, which the seconds and microseconds `edge`
    say: filters take the whole of the last minute."""
    return at.isoformat("minutes" if (at.second, at.microsecond) == edge else "auto")


_HOUR = timedelta(hours=1) - timedelta(microseconds=1)
