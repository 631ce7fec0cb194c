"""Trying a rule before it is switched on: the alerts that it would have given."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from . import bounds
from .evaluation import Found, evaluate, exceeds
from .measure import LARGE, Matching, size_class
from .rule import Rule
from .scope import Scope
from .statements import statement

DAYS = 90
# The factors of the bound for which alerts are counted.
FACTORS = (0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
# An alert is due to size alone if the value is not above this share of those of the same size class,
# of which there must be some.
_USUAL, _FEWEST_OF_CLASS, _DAYS_OF_CLASS = 0.75, 20, 365
_WITHOUT_FACTORS = (bounds.DoseCheckPassed, bounds.Missing, bounds.Silent)
_OF_SINGLE_VALUES = (bounds.FixedValue, bounds.OfLevel, bounds.Outlier)


@dataclass(frozen=True)
class Trial:
    """Holds what a rule would have found from `since` to `until`.

    compared: studies, or pauses of systems, that the rule compared with a bound. per_week: alerts by
    the Monday of their week, with weeks of none. by_system: alerts by number of the system.
    by_factor: alerts if the bound were multiplied by a factor; empty for kinds without a number.
    only_size: alerts of large patients whose value is usual for their size class; None where that
    has no meaning. found: the alerts.
    """

    since: date
    until: date
    compared: int
    per_week: dict[date, int]
    by_system: dict[int, int]
    by_factor: dict[float, int]
    only_size: int | None
    found: list[Found]

    @property
    def n(self) -> int:
        return len(self.found)

    def as_dict(self, studies: int) -> dict[str, Any]:
        """Return the trial for JSON, with the latest of its studies up to this number."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "n": self.n,
            "compared": self.compared,
            "per_week": [{"week": week.isoformat(), "n": n} for week, n in self.per_week.items()],
            "by_system": [{"equipment_id": system, "n": n} for system, n in self.by_system.items()],
            "by_factor": [{"factor": factor, "n": n} for factor, n in self.by_factor.items()],
            "only_size": self.only_size,
            "studies": [
                {
                    "study_id": one.study_id,
                    "equipment_id": one.equipment_id,
                    "day": None if one.day is None else one.day.isoformat(),
                    "value": one.value,
                    "bound": one.bound,
                    "event": one.event or None,
                    "doubted": one.doubted,
                    "n": one.n,
                    "left_out": one.left_out,
                    "missing": list(one.missing),
                }
                for one in self.found[: -studies - 1 : -1]
            ],
        }


def try_rule(
    connection: duckdb.DuckDBPyConnection, rule: Rule, today: date, days: int = DAYS
) -> Trial:
    """Try a rule on the studies of the last `days` days."""
    scope = Scope(today, since=today - timedelta(days=days - 1))
    assert scope.since is not None
    found = evaluate(connection, rule, scope)
    compared, by_factor = _counts(connection, rule, scope)
    systems = Counter(one.equipment_id for one in found)
    return Trial(
        scope.since,
        today,
        compared,
        _per_week(found, scope.since, today),
        dict(sorted(systems.items(), key=lambda one: (-one[1], one[0]))),
        by_factor,
        _only_size(connection, rule, found, today),
        found,
    )


def _per_week(found: list[Found], since: date, until: date) -> dict[date, int]:
    def monday(day: date) -> date:
        return day - timedelta(days=day.weekday())

    weeks = Counter(monday(one.day) for one in found if one.day is not None)
    # Studies of later days have a wrong date, and are shown in the last week.
    late = sum(n for week, n in weeks.items() if week > until)
    out, week = {}, monday(since)
    while week <= until:
        out[week] = weeks[week]
        week += timedelta(days=7)
    out[monday(until)] += late
    return out


def _counts(
    connection: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope
) -> tuple[int, dict[float, int]]:
    """Return how many studies are compared, and how many would exceed the bound times each factor."""
    of = statement(connection, rule, scope)
    if of is None:
        return 0, {}
    factors = () if isinstance(rule.bound, _WITHOUT_FACTORS) else FACTORS
    subject = "(study_id, day)" if isinstance(rule.bound, bounds.Silent) else "study_id"
    counts = ", ".join(
        f"count(DISTINCT {subject}) FILTER ({test})"
        for test in ("true", *(exceeds(of, factor) for factor in factors))
    )
    row = connection.execute(f"SELECT {counts} FROM ({of.query})", of.values).fetchone()
    assert row is not None
    return row[0], dict(zip(factors, row[1:], strict=True))


def _only_size(
    connection: duckdb.DuckDBPyConnection, rule: Rule, found: list[Found], today: date
) -> int | None:
    bound, measure = rule.bound, rule.measure
    if measure is None or not isinstance(bound, _OF_SINGLE_VALUES) or bound.compare == "below":
        return None
    if not found:
        return 0
    matching = Matching.of(rule.filters, measure)
    columns = (
        "s.modality AS modality",
        "lower(s.study_description) AS name",
        f"{size_class('s.patient_weight')} AS class",
    )
    first = today - timedelta(days=_DAYS_OF_CLASS)
    of_year = f"s.study_date >= DATE '{first.isoformat()}' AND s.patient_weight >= {LARGE}"
    values = matching.values(measure, *columns, conditions=(of_year,))
    alerts = ", ".join(f"({one.study_id:d}, {one.value!r}::DOUBLE)" for one in found)
    query = f"""
        WITH one AS MATERIALIZED (
            SELECT study_id, modality, name, class, max(value) AS value,
            bool_or(doubted) AS doubted FROM ({values}) WHERE name <> '' GROUP BY ALL
        ),
        usual AS (
            SELECT modality, name, class, quantile_cont(value, {_USUAL}) AS value FROM one
            WHERE NOT doubted GROUP BY ALL HAVING count(*) >= {_FEWEST_OF_CLASS}
        )
        SELECT count(*) FROM (VALUES {alerts}) a(study_id, value)
        JOIN one o ON o.study_id = a.study_id
        JOIN usual u ON u.modality = o.modality AND u.name = o.name AND u.class = o.class
        WHERE a.value <= u.value
    """
    row = connection.execute(query, matching.bound).fetchone()
    return int(row[0]) if row else 0
