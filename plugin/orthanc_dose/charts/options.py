"""What a user can choose of charts: each option declared once, for the API, what is kept of it, and
the form.
"""

from dataclasses import dataclass
from typing import Any

from ..records.numbers import is_whole_number
from .charts import CHARTS

Options = dict[str, Any]  # a value for each of OPTIONS


@dataclass(frozen=True)
class Option:
    """kind: "flag"; "choice", one of `allowed`; "integer" from `low` to `high`; "names", some of
    `allowed`, None for all. of_page: it is about which charts a page shows, not about a chart."""

    name: str
    kind: str
    default: Any
    description: str
    allowed: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    of_page: bool = False

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its values."""
        if self.kind == "flag":
            return {"type": "boolean"}
        if self.kind == "choice":
            return {"type": "string", "enum": list(self.allowed)}
        if self.kind == "integer":
            return {"type": "integer", "minimum": self.low, "maximum": self.high}
        return {
            "type": ["array", "null"],
            "items": {"type": "string", "enum": list(self.allowed)},
            "uniqueItems": True,
        }

    def kept(self, value: Any) -> Any:
        """A right value as it is stored: all of the names as all, which then are those of later
        versions, too.
        """
        if self.kind == "names" and value is not None and set(value) == set(self.allowed):
            return None
        return int(value) if self.kind == "integer" else value

    def problem(self, value: Any) -> str | None:
        """What a value should be instead; None where it is right."""
        if self.kind == "flag":
            return None if isinstance(value, bool) else "true or false"
        if self.kind == "choice":
            return (
                None
                if isinstance(value, str) and value in self.allowed
                else f"one of: {', '.join(self.allowed)}"
            )
        if self.kind == "integer":
            return (
                None
                if is_whole_number(value, self.low, self.high)
                else f"a whole number from {self.low} to {self.high}"
            )
        is_list = isinstance(value, list) and all(
            isinstance(one, str) and one in self.allowed for one in value
        )
        return (
            None
            if value is None or (is_list and len(set(value)) == len(value))
            else "null or a list of names of charts"
        )


_ORDERS = tuple(f"{sign}{name}" for name in ("name", "frequency", "value") for sign in ("", "-"))

OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("on", "flag", True, "Whether lists show charts at all.", of_page=True),
        Option("charts", "names", None, "Which ones; null for all.", tuple(CHARTS), of_page=True),
        Option("average", "choice", "mean", "Which average.", ("mean", "median", "both")),
        Option("per_system", "flag", False, "A series per system, or all together."),
        Option("bins", "integer", 20, "Bins of histograms.", low=2, high=40),
        Option(
            "normalised",
            "flag",
            False,
            "Histograms show parts of their series' number instead of numbers.",
        ),
        Option(
            "order", "choice", "-frequency", "Order of categories; - before it turns it.", _ORDERS
        ),
        Option(
            "period",
            "choice",
            "month",
            "Length of the steps in time.",
            ("day", "week", "month", "year"),
        ),
        Option(
            "ignore_case",
            "flag",
            False,
            "Names that differ in upper and lower case alone are one category.",
        ),
        Option("frequency_as", "choice", "bar", "Frequencies as bars or as a pie.", ("bar", "pie")),
        Option(
            "categories",
            "integer",
            100,
            "So many categories, the most frequent ones; the others are put together.",
            low=1,
            high=5000,
        ),
    )
}
DEFAULTS: Options = {option.name: option.default for option in OPTIONS.values()}
