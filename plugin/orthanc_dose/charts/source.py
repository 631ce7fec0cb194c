"""The source of a chart's data: rows of studies or events as a subquery, over exactly the studies
that match the filters.
"""

from dataclasses import dataclass
from typing import Any

import duckdb

from ..query import filters
from ..query.filter_types import Place
from .chart_types import Chart, Quantity
from .links import Links
from .options import Options

# The share of values below each quantile, by linear interpolation between the two adjacent values,
# which is the default of numpy and R.
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


@dataclass
class Source:
    """A chart, the chosen options, and the filters' values, by names of parameters."""

    connection: duckdb.DuckDBPyConnection
    chart: Chart
    options: Options
    values: dict[str, Any]
    with_studies: bool = True

    def __post_init__(self) -> None:
        self.values = filters.counted(self.values) | {"modality": [self.chart.modality]}
        self.links = Links(self.chart, self.options, self.values)
        self._condition, self.bound = filters.where(self.values)
        self._of_events, of_events = filters.condition_on_events(
            self.values, self.chart.events_table
        )
        if self.chart.is_of_events:
            self.bound = self.bound | of_events
        self.links.left_out = self._left_out()

    def rows(self, *columns: str, conditions: tuple[str, ...] = ()) -> str:
        """Return the rows as SQL, over the study `s` and, in charts of events, the event `t`.

        They have these columns, `study`, the number of the study, and `system`, that of the system,
        or NULL if there is no series per system.
        """
        system = "s.equipment_id" if self.options["per_system"] else "NULL::BIGINT"
        study, origin, tests = "s.id", "study s", [self._condition, *conditions]
        if self.chart.is_of_events:
            study, origin = (
                "t.study_id",
                f'study s JOIN "{self.chart.events_table}" t ON t.study_id = s.id',
            )
            tests.append(self._of_events)
        wanted = ", ".join((f"{study} AS study", f"{system} AS system", *columns))
        return f"SELECT {wanted} FROM {origin} WHERE {' AND '.join(f'({test})' for test in tests)}"

    @property
    def leaves_out_studies(self) -> bool:
        """True if the store has studies that do not count, or events that count elsewhere."""
        query = f"""
            SELECT EXISTS (SELECT 1 FROM study WHERE not_counted IS NOT NULL) OR
            EXISTS (SELECT 1 FROM "{self.chart.events_table}" WHERE counted_in IS NOT NULL)
        """
        return bool((self.connection.execute(query).fetchone() or (False,))[0])

    @property
    def series(self) -> str:
        """The prefix of GROUP BY for charts by system: "system, ", or nothing.

        Grouping by a constant would cost as much as by any other column.
        """
        return "system, " if self.options["per_system"] else ""

    @property
    def system(self) -> str:
        """The system's column in grouped rows."""
        return "system" if self.options["per_system"] else "NULL"

    def category(self) -> str:
        """Return the columns `category`, by which rows are grouped, and `spelling`.

        The category is NULL for no name; the spelling, if case is ignored, is the name as written.
        """
        grouping = self.chart.grouping
        assert grouping is not None
        name = f"nullif({grouping.expression}, '')"
        return (
            f"lower({name}) AS category, {name} AS spelling"
            if self.options["ignore_case"]
            else f"{name} AS category"
        )

    def counts(self, of: Quantity) -> str:
        """Return the SQL condition under which a value counts: it is given, not zero, and not marked
        as implausible unless the options include such values."""
        given = is_given(of)
        return f"{given} AND {of.filter.is_plausible}" if self.links.leaves_out(of) else given

    def _left_out(self) -> int:
        """Return the number of rows that are left out because a value is marked as implausible."""
        quantities = [one for one in (self.chart.measure, self.chart.against) if one is not None]
        doubted = [one.filter.is_plausible for one in quantities if one.filter.can_be_implausible]
        if not doubted or self.options["implausible"]:
            return 0
        # Usually no study has such a mark on any value, which costs less to find out.
        query = "SELECT 1 FROM study WHERE list_contains(all_marks, 'implausible') LIMIT 1"
        if self.connection.execute(query).fetchone() is None:
            return 0
        conditions = (
            *map(is_given, quantities),
            f"NOT ({' AND '.join(doubted)})",
        )
        [(n,)] = self.fetch(f"SELECT count(*) FROM ({self.rows(conditions=conditions)})")
        return int(n)

    def studies(self, of: str = "true") -> str:
        """Return the number of studies of rows, as SQL.

        It is NULL if it was not requested and is not simply the number of rows. of: the rows of
        events for which it is known.
        """
        if not self.chart.is_of_events:
            return "count(*)"
        return f"nullif(count(DISTINCT study) FILTER ({of}), 0)" if self.with_studies else "NULL"

    def with_dose(self) -> str:
        """Return the SQL condition under which a row has a dose, or events with a dose."""
        of = self.chart.dose
        if of.is_of_events and not self.chart.is_of_events:
            return Place("", of.filter.place.table, "study_id").holds(is_given(of))
        return is_given(of)

    def fetch(self, query: str, **more: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, self.bound | more).fetchall()

    def systems(self) -> dict[int | None, str | None]:
        """Return the names of systems, by number.

        Those without a name, or with one that others share, include their number.
        """
        names = self.connection.execute("SELECT id, display_name FROM equipment").fetchall()
        known = [name for _, name in names]
        out: dict[int | None, str | None] = {None: None}
        for number, name in names:
            out[number] = (
                f"System {number}"
                if not name
                else f"{name} ({number})"
                if known.count(name) > 1
                else name
            )
        return out


def is_given(of: Quantity) -> str:
    """Return the SQL condition under which a value is given: 0 stands for no measurement."""
    return f"{of.expression} <> 0"


def kept_categories(source: Source, rows: str, categories: int, total: str = "NULL") -> str:
    """Return the tables `part` and `kept` as SQL.

    `part` has the number `n` and the `total` of these rows by category and system; `kept` the most
    frequent categories with their `name` and their place from 0. Rows are counted first, and read a
    second time if that is not enough: a join with the kept categories costs less than keeping all
    rows.
    """
    name = "min(spelling)" if source.options["ignore_case"] else "any_value(category)"
    return f"""
        part AS MATERIALIZED (
            SELECT category, {name} AS name, count(*) AS n, {total} AS total, {source.system} AS
            system FROM ({rows})
            GROUP BY {source.series}category
        ),
        kept AS MATERIALIZED (
            SELECT category, min(name) AS name, row_number() OVER (ORDER BY sum(n) DESC, category
            NULLS LAST) - 1 AS place
            FROM part GROUP BY category QUALIFY place < {categories:d}
        )
    """


IS_KEPT = "k.place IS NOT NULL"
KEPT = "p LEFT JOIN kept k ON k.category IS NOT DISTINCT FROM p.category"
