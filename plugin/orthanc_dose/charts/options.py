"""Users' chart options: each is declared once, for the API, for storage, and for the form."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from ..records.given import Meta, value_problem
from .charts import CHARTS

Options = dict[str, Any]  # a value for each of OPTIONS


@dataclass(frozen=True)
class Option:
    """An option.

    kind: "flag"; "choice", one of `allowed`; "integer" from `low` to `high`; "names", some of
    `allowed`, None for all. of_page: whether it is about which charts a page shows, not about a
    single chart.
    """

    name: str
    kind: str
    default: Any
    description: str
    allowed: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    of_page: bool = False

    @property
    def type(self) -> Any:
        """The type of its values, with the description."""
        about = Meta(description=self.description)
        if self.kind == "flag":
            return Annotated[bool, about]
        if self.kind == "choice":
            return Annotated[Literal[self.allowed], about]
        if self.kind == "integer":
            return Annotated[int, Meta(ge=self.low, le=self.high), about]
        names = Annotated[
            list[Literal[self.allowed]],  # type: ignore[name-defined]
            Meta(
                extra={"words": "a list of names of charts, without duplicates"},
                extra_json_schema={"uniqueItems": True},
            ),
        ]
        return Annotated[names | None, about]

    def kept(self, value: Any) -> Any:
        """Return a valid value as it is stored.

        A list of all names is stored as all, which then includes those of later versions.
        """
        if self.kind == "names" and value is not None and set(value) == set(self.allowed):
            return None
        return int(value) if self.kind == "integer" else value

    def problem(self, value: Any) -> str | None:
        """Return what a value should be instead; None if it is valid."""
        wrong = value_problem(value, self.type)
        if wrong is None and isinstance(value, list) and len(set(value)) < len(value):
            return "null or a list of names of charts, without duplicates"
        return wrong


_ORDERS = tuple(f"{sign}{name}" for name in ("name", "frequency", "value") for sign in ("", "-"))

OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("on", "flag", True, "Whether lists show charts.", of_page=True),
        Option(
            "charts", "names", None, "Charts to show; null for all.", tuple(CHARTS), of_page=True
        ),
        Option("average", "choice", "mean", "Kind of average.", ("mean", "median", "both")),
        Option(
            "per_system",
            "flag",
            False,
            "Whether to show one series per system instead of all systems together.",
        ),
        Option("bins", "integer", 20, "Number of bins in histograms.", low=2, high=40),
        Option(
            "normalised",
            "flag",
            False,
            "Whether histograms show fractions of their series' total instead of counts.",
        ),
        Option(
            "order",
            "choice",
            "-frequency",
            "Order of categories; a leading - reverses it.",
            _ORDERS,
        ),
        Option(
            "period",
            "choice",
            "month",
            "Length of periods in charts over time.",
            ("day", "week", "month", "year"),
        ),
        Option(
            "implausible",
            "flag",
            False,
            "Whether values that are marked as implausible are included.",
        ),
        Option(
            "ignore_case",
            "flag",
            False,
            "Whether names that differ only in case are one category.",
        ),
        Option(
            "frequency_as",
            "choice",
            "bar",
            "Whether frequencies are shown as bars or as a pie chart.",
            ("bar", "pie"),
        ),
        Option(
            "frequency_with_dose",
            "flag",
            False,
            "Whether frequencies leave out events and studies without a dose (DLP, DAP, AGD, "
            "administered activity), such as localizers of which the report gives none.",
        ),
        Option(
            "categories",
            "integer",
            100,
            "Number of categories shown, the most frequent ones first; the others are combined.",
            low=1,
            high=5000,
        ),
    )
}
DEFAULTS: Options = {option.name: option.default for option in OPTIONS.values()}
