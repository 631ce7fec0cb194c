"""Where the data of a chart come from: rows of studies or events as a subquery, over exactly the studies that filters leave."""

from dataclasses import dataclass
from typing import Any

import duckdb

from ..query import filters
from .chart import Chart, Quantity
from .links import Links
from .options import Options

# The share of values that lie below each, by linear interpolation between the two values next to it, as numpy and R have it
# where nobody asks for another.
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


@dataclass
class Source:
    """A chart, what was chosen of it, and the filters' values, by names of parameters."""

    connection: duckdb.DuckDBPyConnection
    chart: Chart
    options: Options
    values: dict[str, Any]

    def __post_init__(self) -> None:
        self.values = self.values | {"modality": [self.chart.modality]}
        self.links = Links(self.chart, self.options, self.values)
        self._condition, self.bound = filters.where(self.values)
        self._of_events, of_events = filters.of_events(self.values, self.chart.events_table)
        if self.chart.is_of_events:
            self.bound = self.bound | of_events

    def rows(self, *columns: str, conditions: tuple[str, ...] = ()) -> str:
        """The rows as SQL: these columns, over the study `s` and, in charts of events, the event `t`; with `study`, the number
        of the study, and `system`, that of the system or NULL where there is no series per system."""
        system = "s.equipment_id" if self.options["per_system"] else "NULL::BIGINT"
        origin, tests = "study s", [self._condition, *conditions]
        if self.chart.is_of_events:
            origin = f'study s JOIN "{self.chart.events_table}" t ON t.study_id = s.id'
            tests.append(self._of_events)
        wanted = ", ".join(("s.id AS study", f"{system} AS system", *columns))
        return f"SELECT {wanted} FROM {origin} WHERE {' AND '.join(f'({test})' for test in tests)}"

    def category(self) -> str:
        """The column `category`: what rows are grouped by, NULL for no name; and `spelling`, the name as written."""
        grouping = self.chart.grouping
        assert grouping is not None
        name = f"nullif({grouping.expression}, '')"
        return f"lower({name}) AS category, {name} AS spelling" if self.options["ignore_case"] else f"{name} AS category"

    @property
    def label(self) -> str:
        """What a category of rows that are grouped by `k.place` is called: where case is ignored one of its spellings, the same
        for all of its rows."""
        return "min(min(spelling)) OVER (PARTITION BY k.place)" if self.options["ignore_case"] else "any_value(p.category)"

    @property
    def studies(self) -> str:
        """How many studies rows are of."""
        return "count(DISTINCT study)" if self.chart.is_of_events else "count(*)"

    def fetch(self, query: str, **more: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, self.bound | more).fetchall()

    def systems(self) -> dict[int | None, str | None]:
        """What systems are called, by number: those without a name, or with one that others have, by their number, too."""
        names = self.connection.execute("SELECT id, display_name FROM equipment").fetchall()
        known = [name for _, name in names]
        out: dict[int | None, str | None] = {None: None}
        for number, name in names:
            out[number] = f"System {number}" if not name else f"{name} ({number})" if known.count(name) > 1 else name
        return out


def is_given(of: Quantity) -> str:
    """That a value counts: it is there, and not zero."""
    return f"{of.expression} <> 0"


def top(source: Source, part: str, categories: int) -> str:
    """Tables as SQL: `part`, the rows of this query, and `kept`, their most frequent categories with their place from 0."""
    return f"""
        part AS MATERIALIZED ({part}),
        kept AS MATERIALIZED (
            SELECT category, row_number() OVER (ORDER BY count(*) DESC, category NULLS LAST) - 1 AS place
            FROM part GROUP BY category QUALIFY place < {categories:d}
        )
    """


KEPT = "part p LEFT JOIN kept k ON k.category IS NOT DISTINCT FROM p.category"
