"""The texts of charts in one language: titles, names of categories and series, numbers, days."""

from datetime import UTC, date

from ..export.shown import Shown, decimals_for
from ..export.words import Words
from ..query.filters import WEEKDAY
from ..records import STUDY
from .chart_row import Compared, Row
from .chart_types import Chart, Quantity


class Wording:
    """The words of one language. date_format: a value of the setting of this name."""

    def __init__(self, language: str = "en", date_format: str = "yyyy-mm-dd") -> None:
        """Read the words of a language, one of export.words.LANGUAGES."""
        self.words, self.date_format = Words(language), date_format
        self._shown = Shown(self.words, date_format, UTC)

    def say(self, key: str, count: int | None = None, **values: object) -> str:
        """Return a text of charts."""
        return self.words.say(f"charts.{key}", count, **values)

    def title(self, chart: Chart) -> str:
        what = self.quantity(chart.measure, chart) if chart.measure else self.counted(chart)
        by = chart.grouping or chart.against
        if by:
            # In the inflected form, if the language's file has one.
            bent = self.words.find(f"charts.by.{by.filter.name}")
            bent = bent or self._within(self.quantity(by, chart))
            return self.say(f"titles.{chart.kind}", what=what, by=bent)
        return self.say(f"titles.{chart.kind}", what=what)

    def quantity(self, of: Quantity, chart: Chart) -> str:
        """Return the name of what is measured or grouped by."""
        if of.filter.field == "study.number_of_events":
            return self.say("perStudy", what=self._events(chart))
        return self.words.filter(of.filter)

    def axis(self, of: Quantity, chart: Chart) -> str:
        """Return the name of a quantity with its unit, as the title of axes and columns."""
        return self.with_unit(self.quantity(of, chart), of)

    def with_unit(self, name: str, of: Quantity) -> str:
        return f"{name} [{self.unit(of)}]" if self.unit(of) else name

    def unit(self, of: Quantity) -> str:
        return self.words.symbol(of.shown.unit)

    def counted(self, chart: Chart) -> str:
        """Return the name of what a chart without a measure counts."""
        return self._events(chart) if chart.is_of_events else self.words.table(STUDY)

    def part(self, chart: Chart) -> str:
        """Return the name of the share of a histogram's total number."""
        return self.say("part", what=self._within(self.counted(chart)))

    def category(self, row: Row) -> str:
        """Return the name of a row's category."""
        if row["others"]:
            return self.say("others")
        return self.say("blank") if row["category"] is None else row["category"]

    def head(self, name: str) -> str:
        """Return the title of a column of the data. name: as in rows, such as "median"."""
        return self.say(f"heads.{name}")

    def number(self, name: str) -> str:
        """Return the title of a column as it appears within a sentence."""
        return self._within(self.head(name))

    def weekday(self, number: int | None) -> str:
        """Return the name of a weekday. number: from 1, Monday."""
        return (
            self.say("blank")
            if number is None
            else self.words.choice(WEEKDAY, WEEKDAY.choices[number - 1])
        )

    def hour(self, hour: int | None) -> str:
        return self.say("blank") if hour is None else f"{hour:02}"

    def period(self, first: date, period: str) -> str:
        """Return the name of a period, given by its first day."""
        if period in ("month", "year"):
            return first.isoformat()[:7] if period == "month" else f"{first.year:04}"
        return self.say("week", day=self.day(first)) if period == "week" else self.day(first)

    def day(self, day: date) -> str:
        return self._shown.day(day)

    def written(self, value: float) -> str:
        return self._shown.number(value, decimals_for([value]))

    def measured(self, value: float, of: Quantity) -> str:
        """Return a value with its unit."""
        return " ".join(filter(None, (self.written(value), self.unit(of))))

    def changes(self, row: Row, of: Quantity) -> list[str]:
        """Return how a row over time compares with the period before and with its control band."""
        out = []
        if row["change"] is not None:
            sign = "\u2212" if row["change"] < 0 else "+"
            out.append(
                self.say("change", change=f"{sign}{self._shown.number(abs(row['change']), 1)}")
            )
        if row["centre"] is not None:
            low, high = self.written(row["lower"] or 0.0), self.written(row["upper"] or 0.0)
            out.append(self.say("band", low=low, high=high, unit=self.unit(of)).strip())
        return out + ([self.say(f"out.{row['out']}")] if row["out"] else [])

    def side(self, level: Compared) -> str:
        """Return how the installation compares with a reference level, and with which one."""
        of = " ".join(filter(None, (level["source"], str(level["year"] or ""))))
        said = self.say(f"side.{level['side']}")
        return f"{level['name']}: {said} {self.written(level['value'])} ({of})"

    @property
    def separators(self) -> str:
        """The decimal and thousands separators, in plotly's order."""
        return "".join(reversed(self._shown.signs))

    def _events(self, chart: Chart) -> str:
        name = self.words.events(chart.modality, 2)
        return name[:1].upper() + name[1:]

    def _within(self, name: str) -> str:
        """Return a name as it appears within a sentence.

        An English one begins in lower case, unless it is an acronym.
        """
        is_word = self.words.language == "en" and name[1:2].islower()
        return name[:1].lower() + name[1:] if is_word else name
