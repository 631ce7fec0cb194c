"""The evaluation of a rule over studies: one statement, whatever their number."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from ..store.database import rows
from .bounds import Silent
from .rule import Rule
from .scope import Scope, Statement
from .statements import statement

# Two calculations of the same number can differ by this share of it.
_CLOSE = 1e-9


@dataclass(frozen=True)
class Found:
    """A subject at which a rule gives an alert.

    study_id: the study, or the last one before a system fell silent. day: of the study, or on which
    the silence was too long; None if the study has no date. value and bound: in the stored unit of
    the measure. event: number of the event with the value; 0 for one of the study. doubted: whether
    the value is marked as implausible. n: how many values a sum, a mean or the bound was made from;
    left_out: studies of a sum that have no usable value; parts: numbers of the studies that a sum
    was made from. missing: the names of missing values.
    """

    study_id: int
    equipment_id: int
    day: date | None
    value: float
    bound: float
    event: int = 0
    doubted: bool = False
    n: int = 0
    left_out: int = 0
    parts: tuple[int, ...] = field(default=())
    missing: tuple[str, ...] = field(default=())


def exceeds(of: Statement, factor: float = 1) -> str:
    """Return the SQL saying that a row of the statement exceeds its bound times this factor."""
    bound = f"bound * {float(factor)!r}"
    compared = {
        "above": f"value > {bound} * (1 + {_CLOSE!r})",
        "reaches": f"value >= {bound} * (1 - {_CLOSE!r})",
        "below": f"value < {bound} * (1 - {_CLOSE!r})",
    }[of.compare]
    return f"{compared} AND {of.more.format(factor=repr(float(factor)))}"


def evaluate(connection: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> list[Found]:
    """Return where a rule gives an alert, of the studies of the scope, by day and study.

    A study is listed once, with the event that exceeds the bound most; a system that fell silent,
    once for each time.
    """
    of = statement(connection, rule, scope)
    if of is None:
        return []
    order = "value / bound ASC" if of.compare == "below" else "value / bound DESC"
    # A study can have been the last one before several silences only if it is of several days.
    once = "study_id, day" if isinstance(rule.bound, Silent) else "study_id"
    names = ", ".join(Found.__dataclass_fields__)
    query = f"""
        SELECT {names} FROM ({of.query}) WHERE {exceeds(of)}
        QUALIFY row_number() OVER (PARTITION BY {once} ORDER BY {order}, event) = 1
        ORDER BY day, study_id
    """
    return [_found(row) for row in rows(connection.execute(query, of.values))]


def _found(row: dict[str, Any]) -> Found:
    return Found(**row | {"parts": tuple(row["parts"]), "missing": tuple(row["missing"])})
