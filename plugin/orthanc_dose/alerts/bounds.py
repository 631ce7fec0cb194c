"""The kinds of bounds that a rule can have, each with its numbers and their limits."""

from typing import Annotated, ClassVar, Literal

from ..records.given import Given, Meta

# Fewer peers give no robust statistics (Stewart, AAPM 2016), and the rule stays silent.
FEWEST_PEERS = 50
_LARGEST = 1e12

Positive = Annotated[
    float, Meta(gt=0, le=_LARGEST, extra={"words": "a number above 0, in the measure's unit"})
]
Factor = Annotated[float, Meta(gt=0, le=1000, extra={"words": "a number above 0, up to 1000"})]
Days = Annotated[int, Meta(ge=1, le=3660)]
# above: larger than the bound; reaches: equal or larger; below: smaller.
Compare = Literal["above", "reaches", "below"]
# What a study or an event is called, for levels and for peers.
NameField = Literal[
    "requested_procedure_description",
    "study_description",
    "performed_procedure_step_description",
    "acquisition_protocols",
]


class FixedValue(Given):
    """A fixed value, in the unit in which the measure is stored."""

    kind: ClassVar[str] = "value"
    value: Positive
    compare: Compare = "above"


class OfLevel(Given):
    """A factor of the reference level of the examination.

    names: the texts by which levels are found; empty for those that suit the measure. If several
    levels apply, the highest one counts; if values that are too low are looked for, the lowest.
    """

    kind: ClassVar[str] = "level"
    factor: Factor
    compare: Compare = "above"
    names: Annotated[list[NameField], Meta(max_length=4)] = []


class Outlier(Given):
    """A bound from the values of peers, by robust statistics.

    Peers have the same text in `same`, if wanted the same system and size class, and were made in
    the `days` days before the month of the study: all studies of a month have the same bound,
    which later studies do not move. limit: for `mad`, the number of robust standard deviations
    (1.4826 times the median absolute deviation) of the logarithm; for `iqr`, the number of
    interquartile ranges from the median; for `median`, the factor of the median; for `percentile`,
    the percentile.
    """

    kind: ClassVar[str] = "outlier"
    limit: Factor
    method: Literal["mad", "iqr", "median", "percentile"] = "mad"
    same: NameField | Literal["standard_names"] = "requested_procedure_description"
    same_system: bool = True
    same_size: bool = False
    days: Annotated[int, Meta(ge=30, le=3660)] = 365
    fewest: Annotated[int, Meta(ge=FEWEST_PEERS, le=1_000_000)] = FEWEST_PEERS
    compare: Compare = "above"


class PatientSum(Given):
    """A patient's sum over the `days` days that end with the study.

    It is made of the studies that the rule is for. A study without the value is left out of the
    sum, never added as 0, and so is an implausible value.
    """

    kind: ClassVar[str] = "sum"
    value: Positive
    days: Days
    compare: Literal["above", "reaches"] = "reaches"


class Running(Given):
    """A factor of the reference level for the mean of the last `n` studies on one system to which the
    same level applies (StrlSchV Annex 14 I.1).

    trigger: the factor of the level that the study itself must be above. Without it, there is one
    alert when the mean rises above the bound.
    """

    kind: ClassVar[str] = "run"
    factor: Factor
    n: Annotated[int, Meta(ge=2, le=1000)] = 20
    trigger: Factor | None = None
    names: Annotated[list[NameField], Meta(max_length=4)] = []


class DoseCheckPassed(Given):
    """A CT event of which the expected dose reached a configured value (NEMA XR 25), and no reason for
    proceeding is given."""

    kind: ClassVar[str] = "dose_check"
    check: Literal["alert", "notification", "either"] = "either"


class Missing(Given):
    """Values that the study should have: one of them is missing, or 0."""

    kind: ClassVar[str] = "missing"
    of: Annotated[list[str], Meta(min_length=1, max_length=20)]


class Silent(Given):
    """A system of which no study was made for more than `days` days."""

    kind: ClassVar[str] = "silent"
    days: Annotated[int, Meta(ge=1, le=366)]


Bound = FixedValue | OfLevel | Outlier | PatientSum | Running | DoseCheckPassed | Missing | Silent
BOUNDS: dict[str, type[Bound]] = {
    one.kind: one
    for one in (
        FixedValue, OfLevel, Outlier, PatientSum, Running, DoseCheckPassed, Missing, Silent,
    )
}  # fmt: skip
# Kinds that look at no single number.
WITHOUT_MEASURE = (DoseCheckPassed, Missing, Silent)
