"""Turns what a rule measures, the numbers of filters, into SQL over studies and their events."""

from dataclasses import dataclass

from ..query.filter_types import Filter
from ..query.filters import FILTERS, condition_on_events, counted, where
from ..records import TABLES, Table

_TABLES = {table.name: table for table in TABLES}
# Classes of patients' size by weight, in kg: those for children of the European guidelines (RP 185),
# and steps of 20 kg around the standard patient for adults. Each begins at its bound.
SIZE_CLASSES = (0, 5, 15, 30, 50, 60, 80, 100, 120)
LARGE = 80  # kg, from which on a patient is larger than the standard one


@dataclass(frozen=True)
class Measure:
    """A filter of numbers as the measure of a rule."""

    filter: Filter

    @property
    def events(self) -> Table | None:
        """The table of events that have the value; None for a value of the study."""
        place = self.filter.place
        return _TABLES[place.table] if place.table and not place.of_study else None

    @property
    def has_protocol(self) -> bool:
        """Return whether each value has an acquisition protocol of its own."""
        return self.events is not None and "acquisition_protocol" in self.events.names

    @property
    def expression(self) -> str:
        """Its value in SQL, over the study `s` and, if it is of events, the event `t`."""
        return self.filter.place.of_study or self.filter.place.expression


MEASURES: dict[str, Measure] = {
    one.name: Measure(one)
    for one in FILTERS
    if one.type in ("number", "integer") and not one.identity
}


def size_class(weight: str) -> str:
    """Return the size class as SQL, for an expression of the weight in kg; NULL if it is unknown."""
    cases = " ".join(
        f"WHEN {weight} >= {low} THEN {number}"
        for number, low in reversed(list(enumerate(SIZE_CLASSES)))
    )
    return f"CASE {cases} END"


# The day of a study: without a date, that on which it was stored.
DAY = "coalesce(s.study_date, CAST(s.stored_at AS DATE))"


@dataclass
class Matching:
    """The studies that a rule is for, as SQL, and the values bound in it."""

    condition: str
    bound: dict[str, object]
    of_events: str = "true"

    @classmethod
    def of(
        cls, values: dict[str, object], measure: Measure | None, with_all: bool = False
    ) -> "Matching":
        """Return the studies for these values of filters.

        Without `with_all`, studies that do not count in sums are left out, as are events that count
        in another study, and possible test data, unless the filters ask for them.
        """
        given = {"test_data": ["no", "yes"]} | values if with_all else counted(values)
        condition, bound = where(given)
        out = cls(condition, dict(bound))
        if measure is not None and measure.events is not None:
            out.of_events, more = condition_on_events(given, measure.events.name)
            out.bound |= more
        return out

    def rows(self, *columns: str, conditions: tuple[str, ...] = ()) -> str:
        """Return the studies `s` with these columns."""
        tests = " AND ".join(f"({test})" for test in (self.condition, *conditions))
        return f"SELECT {', '.join(columns)} FROM study s WHERE {tests}"

    def values(
        self, measure: Measure, *columns: str, conditions: tuple[str, ...] = (), given: bool = True
    ) -> str:
        """Return the values of a measure, one row for each study or event that has one.

        Columns: study_id, event (0 for a value of the study), equipment_id, day, study_date,
        hour (time of day), value, doubted, and these. 0 stands for no measurement, and is no value.
        given: False for rows without a value, too.
        """
        value, events = measure.expression, measure.events
        doubted = "false"
        if measure.filter.can_be_implausible:
            doubted = (
                "CASE WHEN list_contains(s.all_marks, 'implausible') THEN "
                f"NOT ({measure.filter.is_plausible}) ELSE false END"
            )
        number = "t.event_number" if events else "0"
        wanted = ", ".join((
            "s.id AS study_id", f"{number} AS event", "s.equipment_id AS equipment_id",
            f"{DAY} AS day", "s.study_date AS study_date",
            "coalesce(s.study_time, TIME '00:00') AS hour", f"{value} AS value",
            f"{doubted} AS doubted", *columns,
        ))  # fmt: skip
        origin = f'study s JOIN "{events.name}" t ON t.study_id = s.id' if events else "study s"
        tests = [self.condition, *conditions]
        if events:
            tests.append(self.of_events)
        if given:
            tests.append(f"{value} > 0")
        return f"SELECT {wanted} FROM {origin} WHERE {' AND '.join(f'({test})' for test in tests)}"
