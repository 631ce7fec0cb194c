"""The declaration of a chart, from which its data, its figure, its place in the API and the tests
are derived.

What it measures and what it groups by are filters (query/filters.py): they know where values are
stored, how they are shown, and which parameters filter a list to the studies behind a bar.
"""

from dataclasses import dataclass

from ..query.filter_types import Filter
from ..query.filters import FILTERS
from ..records import MODALITIES, Shown

_FILTERS = {one.name: one for one in FILTERS}

# The filter by which studies or events have a dose, if charts of frequency are to leave out others. Where
# a study has several totals (one for each breast), or none (of several nuclides), its events decide.
_DOSES = {
    ("CT", "event"): "ct_event_dlp",
    ("CT", "study"): "dlp_total",
    ("RF", "study"): "dap_total",
    ("DX", "event"): "projection_event_dap",
    ("DX", "study"): "dap_total",
    ("MG", "event"): "projection_event_average_glandular_dose",
    ("MG", "study"): "projection_event_average_glandular_dose",
    ("NM", "event"): "nm_administration_administered_activity",
    ("NM", "study"): "nm_administration_administered_activity",
}

# The views of charts, by kind; the first one is the default.
VIEWS = {
    "average": ("bar", "box", "histogram", "table"),
    "frequency": ("bar", "pie"),
    "time": ("line", "change"),
    "workload": ("weekday", "hour"),
    "scatter": ("points",),
}


@dataclass(frozen=True)
class Quantity:
    """A filter as what a chart measures or groups by."""

    filter: Filter

    @property
    def is_of_events(self) -> bool:
        return self.filter.place.together

    @property
    def expression(self) -> str:
        """Its value as an SQL expression, over the study `s` and, for events, the event `t`."""
        place = self.filter.place
        if place.of_study:
            return place.of_study
        # An indexed text is also in the study.
        return place.expression if self.is_of_events or not place.table else f"s.{self.filter.name}"

    @property
    def shown(self) -> Shown:
        return self.filter.shown or Shown(
            "" if self.filter.unit in (None, "1") else self.filter.unit or ""
        )


@dataclass(frozen=True)
class Chart:
    """A chart.

    kind: a key of VIEWS. measure: the filter whose values it shows; empty if it counts. grouping:
    the filter by whose texts it groups, empty for none. against: for scatter plots, the filter of
    the horizontal axis.

    Its level is the event if it measures or groups by values of events, else the study.
    """

    name: str
    modality: str
    kind: str
    measure_name: str = ""
    grouping_name: str = ""
    against_name: str = ""

    @property
    def measure(self) -> Quantity | None:
        return Quantity(_FILTERS[self.measure_name]) if self.measure_name else None

    @property
    def grouping(self) -> Quantity | None:
        return Quantity(_FILTERS[self.grouping_name]) if self.grouping_name else None

    @property
    def against(self) -> Quantity | None:
        return Quantity(_FILTERS[self.against_name]) if self.against_name else None

    @property
    def dose(self) -> Quantity:
        """The dose without which a chart of frequency can leave out a study or event."""
        return Quantity(_FILTERS[_DOSES[self.modality, self.level]])

    @property
    def is_of_events(self) -> bool:
        return any(one.is_of_events for one in (self.measure, self.grouping, self.against) if one)

    @property
    def level(self) -> str:
        return "event" if self.is_of_events else "study"

    @property
    def events_table(self) -> str:
        return MODALITIES[self.modality].events.name

    @property
    def views(self) -> tuple[str, ...]:
        return VIEWS[self.kind]
