"""The studies that a rule is evaluated for, and the statement that does it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from .measure import DAY


@dataclass(frozen=True)
class Scope:
    """The studies to look at. ids: their numbers, None for all. since: the first day. today: the
    present day, which systems can be silent until."""

    today: date
    ids: Collection[int] | None = None
    since: date | None = None

    def among(self, number: str = "s.id") -> str:
        """Return the SQL saying that a study's number is one of the scope's."""
        if self.ids is None:
            return "true"
        return f"{number} IN (SELECT unnest([{', '.join(map(str, sorted(self.ids)))}]::BIGINT[]))"

    @property
    def condition(self) -> str:
        """The SQL saying that the study `s` is in the scope."""
        return f"({self.among()}) AND ({self.not_before(DAY)})"

    def not_before(self, day: str) -> str:
        return "true" if self.since is None else f"{day} >= DATE '{self.since.isoformat()}'"


@dataclass(frozen=True)
class Statement:
    """A SELECT with its bound values; compare: how `value` is compared with `bound`; more: a further
    condition on its rows, in which {factor} is what the bound is multiplied by."""

    query: str
    values: dict[str, Any]
    compare: str = "above"
    more: str = "true"
