"""A rule: whom it is for, what it measures, and the bound; read from JSON with clear errors."""

import json
from dataclasses import dataclass
from typing import Any

from ..query.history import ADDS_UP
from ..records import MODALITIES
from ..records.given import Given, Line, Wrong, taken
from . import bounds
from .bounds import BOUNDS, WITHOUT_MEASURE, Bound
from .filter_values import read_filters
from .measure import MEASURES, Measure

# The measure of sums that counts studies, by Study Instance UID.
STUDIES = "studies"
# Doses that add up over a patient's studies. Maxima do not, nor does a peak skin dose, which lies
# elsewhere in each study.
SUMMED = (*ADDS_UP, "effective_dose_estimated", STUDIES)


class RuleGiven(Given):
    """A rule as JSON."""

    name: Line
    filters: dict[str, Any]
    bound: dict[str, Any]
    measure: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule. filters: the values of filters, by name of parameter; measure: a key of MEASURES,
    STUDIES for the number of studies, or None."""

    name: str
    filters: dict[str, Any]
    measure_name: str | None
    bound: Bound
    given: dict[str, Any]  # as JSON

    @property
    def measure(self) -> Measure | None:
        return MEASURES.get(self.measure_name or "")

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modality types of the studies that the rule can be for."""
        wanted = self.filters.get("modality") or tuple(MODALITIES)
        own = (self.measure.filter.modalities if self.measure else ()) or tuple(MODALITIES)
        return tuple(one for one in wanted if one in own)

    def as_json(self) -> str:
        """Return the rule as the text of JSON, which read_rule reads."""
        return json.dumps(self.given, ensure_ascii=False, sort_keys=True)


def read_rule(given: object) -> Rule:
    """Return the rule that this JSON describes. Raises Wrong, which says what is wrong and where."""
    read = taken(given, RuleGiven, "The rule")
    bound = _bound(read.bound)
    filters = read_filters(read.filters)
    rule = Rule(read.name, filters, read.measure, bound, _plain(read, bound))
    _check_measure(rule)
    _check_modality(rule)
    if isinstance(bound, bounds.Missing):
        for name in bound.of:
            if name not in MEASURES:
                raise Wrong("bound.of", "bound.of must be a list of measures.")
    if isinstance(bound, bounds.Outlier):
        _check_outlier(bound)
    return rule


def _plain(read: RuleGiven, bound: Bound) -> dict[str, Any]:
    return {
        "name": read.name,
        "filters": read.filters,
        "measure": read.measure,
        "bound": {"kind": bound.kind, **bound.as_dict()},
    }


def _bound(given: dict[str, Any]) -> Bound:
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in BOUNDS:
        raise Wrong("bound.kind", f"bound.kind must be one of: {', '.join(BOUNDS)}.")
    rest = {name: value for name, value in given.items() if name != "kind"}
    try:
        return taken(rest, BOUNDS[kind], "The bound")
    except Wrong as error:
        place = f"bound.{error.place}" if error.place else "bound"
        raise Wrong(place, str(error)) from None


def _check_measure(rule: Rule) -> None:
    name, bound = rule.measure_name, rule.bound
    if isinstance(bound, WITHOUT_MEASURE):
        if name is not None:
            raise Wrong("measure", f"A rule with a bound of kind {bound.kind} has no measure.")
        return
    if name is None:
        raise Wrong("measure", "The field measure is missing.")
    if isinstance(bound, bounds.PatientSum):
        if name not in SUMMED:
            raise Wrong("measure", f"What adds up over studies is: {', '.join(SUMMED)}.")
    elif name not in MEASURES:
        raise Wrong("measure", "measure must be the name of a filter of numbers.")


def _check_modality(rule: Rule) -> None:
    if not rule.modalities:
        raise Wrong("measure", "Studies of this modality type do not have the measure.")
    if isinstance(rule.bound, bounds.DoseCheckPassed) and "CT" not in rule.modalities:
        raise Wrong("filters.modality", "Only CT studies have dose checks.")


def _check_outlier(bound: bounds.Outlier) -> None:
    if bound.method == "percentile" and bound.limit > 100:
        raise Wrong("bound.limit", "A percentile must not be above 100.")
