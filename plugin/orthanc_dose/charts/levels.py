"""Reference levels beside the numbers of a chart: which one applies to which category, and how the
installation's doses compare.

A level for a class of patients, or for a phantom, is compared only with the values of that class.
"""

from collections.abc import Mapping
from typing import Any, cast

from ..dicom.concepts import BODY_PHANTOM, HEAD_PHANTOM
from ..query import names, reference_levels
from ..records import INDEXED
from ..records.rows import ReferenceLevelRow
from .chart_row import Compared, Row
from .chart_types import Quantity
from .charts import CHARTS
from .source import QUANTILES, Source

# Quantities that can have levels: those of charts of averages, with the modality types that have
# them.
QUANTITIES: dict[str, tuple[Quantity, tuple[str, ...]]] = {
    chart.measure_name: (
        chart.measure,
        tuple(
            dict.fromkeys(
                other.modality
                for other in CHARTS.values()
                if other.kind == "average" and other.measure_name == chart.measure_name
            )
        ),
    )
    for chart in CHARTS.values()
    if chart.kind == "average" and chart.measure
}

_PHANTOM_CODES = {"head": HEAD_PHANTOM.value, "body": BODY_PHANTOM.value}
# Bounds of classes: the columns of the rows, their expressions, and the comparison of each bound.
_COLUMNS = {"age": "s.patient_age", "weight": "s.patient_weight"}
_BOUNDS = {
    "age_from": ("age", ">="),
    "age_to": ("age", "<"),
    "weight_from": ("weight", ">="),
    "weight_to": ("weight", "<"),
}
_CLOSE = 1 + 1e-9  # tolerance between two calculations of the same number

_QUANTILES = ("median", "p75")  # of STATISTICS

Class = tuple[tuple[str, Any], ...]


def has_phantom(quantity: Quantity) -> bool:
    """Return whether values of the quantity can be distinguished by phantom."""
    return quantity.filter.place.table == "ct_event"


class Levels:
    """The levels of a chart of averages.

    columns: what rows need; aggregates and bound: the aggregates to query for each category, and
    their bound parameters.
    """

    def __init__(self, source: Source) -> None:
        chart = source.chart
        assert chart.measure is not None and chart.grouping is not None
        self._source, self._measure = source, chart.measure
        self._levels = reference_levels.compared(
            source.connection, chart.modality, chart.measure_name
        )
        wanted = any(level["standard_name"] for level in self._levels)
        kind = chart.grouping.filter.field.partition(".")[2]
        kind = kind if kind in INDEXED else f"{kind}s"  # the index is of the protocols of a study
        self._named = (
            names.named_texts(source.connection, kind, chart.modality)
            if wanted and kind in INDEXED
            else {}
        )
        self._classes = list(dict.fromkeys(_class_of(level) for level in self._levels))
        self.bound: dict[str, Any] = {}
        phantom = ("t.ctdiw_phantom_type.value AS phantom",) if has_phantom(chart.measure) else ()
        self.columns = (
            (*(f"{place} AS {name}" for name, place in _COLUMNS.items()), *phantom)
            if self._levels
            else ()
        )
        self.aggregates = tuple(part for one in self._classes for part in self._asked(one))

    def _asked(self, of: Class) -> tuple[str, ...]:
        """Return the aggregates of a class: number and statistics of its values."""
        tests = []
        for name, value in of:
            self.bound[f"c{len(self.bound)}"] = (
                _PHANTOM_CODES[value] if name == "phantom" else value
            )
            column, sign = _BOUNDS.get(name, ("phantom", "="))
            tests.append(f"{column} {sign} $c{len(self.bound) - 1}")
        only = f" FILTER (WHERE {' AND '.join(tests)})" if tests else ""
        quantiles = (f"quantile_cont(value, {QUANTILES[name]}){only}" for name in _QUANTILES)
        return (f"count(*){only}", f"avg(value){only}", *quantiles)

    def beside(self, row: Row, found: tuple[Any, ...]) -> list[Compared]:
        """Return the levels of a category, as rows of charts have them.

        found: the values of the aggregates.
        """
        name, size = row["category"], 2 + len(_QUANTILES)
        out = []
        if not name:
            return []
        for level in self._levels:
            if not reference_levels.is_for(level, name, self._named):
                continue
            at = self._classes.index(_class_of(level)) * size
            n, mean, *quantiles = found[at : at + size]
            own = ({"mean": mean} | dict(zip(_QUANTILES, quantiles, strict=True)))[
                level["statistic"]
            ]
            out.append(self._compared(level, n, own))
        return out

    def _compared(self, level: ReferenceLevelRow, n: int, own: float | None) -> Compared:
        fields: Mapping[str, Any] = level
        shown = {
            name: fields[name]
            for name in ("id", "name", "statistic", "source", "year", *_BOUNDS, "phantom")
        }
        factor = self._measure.shown.factor
        side = None if own is None else "over" if own > level["value"] * _CLOSE else "under"
        more: Compared = {
            "value": as_shown(level["value"], factor),
            "n": n,
            "side": side,
            "own": None if own is None else own * factor,
        }
        return cast("Compared", shown | more)


def as_shown(stored: float, factor: float) -> float:
    """Return a level in its shown unit.

    It is the number as entered, without the last digits that two conversions leave.
    """
    return float(f"{stored * factor:.12g}")


def _class_of(level: ReferenceLevelRow) -> Class:
    fields: Mapping[str, Any] = level
    return tuple((name, fields[name]) for name in (*_BOUNDS, "phantom") if fields[name] is not None)
