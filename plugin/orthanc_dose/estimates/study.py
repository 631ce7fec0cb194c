"""All estimates of one study: of each event, and of the study as a whole.

An event that counts in another study is estimated but is not in the values of this study, as it is not
in its totals. If all of its events count elsewhere, the study does not count itself, and its values are
those of all events, as its totals are. Rejected and repeated events irradiated the patient and count.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from . import effective
from .estimate import Estimate, number, rounded
from .ssde import REPORTED, ssde_of
from .tables import CoefficientTable

Names = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str]]


@dataclass(frozen=True)
class Choice:
    """Holds what an administrator chose: a table for each kind ("ct", "nm", "dap"), or none, and the tissue
    weighting factors that all of them must have; None: effective doses are switched off."""

    weights: str | None
    tables: Mapping[str, CoefficientTable]

    def table(self, modality: str) -> CoefficientTable | None:
        """Return the table for studies of a modality type, or None: nothing is estimated."""
        kind = {"CT": "ct", "NM": "nm", "RF": "dap", "DX": "dap"}.get(modality)
        found = self.tables.get(kind or "")
        return found if self.weights is not None else None


OFF = Choice(None, {})


def rows_of_study(
    study: Mapping[str, Any], events: Sequence[Mapping[str, Any]], choice: Choice, names: Names
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table `estimate` of a study.

    study: its id, modality, patient_age and marks; events: rows of its table of events. names:
    returns the standard names for an event of the study.
    """
    counts = [row.get("counted_in") is None for row in events]
    if not any(counts):
        counts = [True] * len(events)
    if study["modality"] == "CT":
        made = [ssde_of(row) for row in events]
        yield from _of_events(study, events, made)
        of_counted = list(compress(made, counts))
        for one in _of_sizes(of_counted):
            yield one.as_row(study["id"], None, None)
    table = choice.table(study["modality"])
    if table is None or not events:
        return
    if table.weights != choice.weights:
        wrong = Estimate(
            effective.QUANTITY,
            reason="other_weights",
            table_key=table.key,
            table_version=table.version,
            weights=table.weights,
        )
        yield wrong.as_row(study["id"], None, None)
        return
    made = [_effective(row, study, table, names) for row in events]
    yield from _of_events(study, events, made)
    of_counted = list(compress(made, counts))
    yield _total(of_counted, table).as_row(study["id"], None, None)


def _of_events(
    study: Mapping[str, Any], events: Iterable[Mapping[str, Any]], made: Iterable[Estimate]
) -> Iterator[dict[str, Any]]:
    for row, one in zip(events, made, strict=True):
        yield one.as_row(study["id"], row["event_number"], row.get("counted_in"))


def _effective(
    event: Mapping[str, Any], study: Mapping[str, Any], table: CoefficientTable, names: Names
) -> Estimate:
    if study["modality"] == "CT":
        return effective.of_ct(event, study, table, names(study, event))
    if study["modality"] == "NM":
        return effective.of_administration(event, study, table)
    return effective.of_projection(event, study, table, names(study, event))


def _of_sizes(made: list[Estimate]) -> Iterator[Estimate]:
    """Yield the mean and the largest SSDE of the events that have one."""
    given = [one for one in made if one.value is not None]
    values = [one.value for one in given if one.value is not None]
    tables = {(one.table_key, one.table_version) for one in given}
    key, version = tables.pop() if len(tables) == 1 else (None, None)
    methods = {one.method for one in given}
    for quantity in ("ssde_mean", "ssde_max"):
        if not values:
            yield Estimate(quantity, reason="no_event")
            continue
        value = max(values) if quantity == "ssde_max" else sum(values) / len(values)
        scans = sum(one.reason != "localizer" for one in made)
        yield Estimate(
            quantity,
            rounded(value),
            method=methods.copy().pop() if len(methods) == 1 else None,
            table_key=key,
            table_version=version,
            inputs=(
                number("events_with_value", len(values), "1", "estimate"),
                number("events", scans, "1", "estimate"),
                number(
                    "reported", sum(one.table_key == REPORTED for one in given), "1", "estimate"
                ),
            ),
        )


def _total(made: list[Estimate], table: CoefficientTable) -> Estimate:
    """Return the sum over the events, if each of them has a value. Localizers are left out."""
    scans = [one for one in made if one.reason != "localizer"]
    values = [one.value for one in scans if one.value is not None]
    reason = None
    if not scans:
        reason = "no_event"
    elif len(values) < len(scans):
        reasons = {one.reason for one in scans if one.reason}
        reason = reasons.pop() if not values and len(reasons) == 1 else "incomplete"
    return Estimate(
        effective.QUANTITY,
        None if reason else rounded(sum(values)),
        reason,
        table_key=table.key,
        table_version=table.version,
        weights=table.weights,
        inputs=(
            number("events_with_value", len(values), "1", "estimate"),
            number("events", len(scans), "1", "estimate"),
        ),
    )
