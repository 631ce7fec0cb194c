"""Sets one total of a study: what the reports state, or else the sum over the irradiation events."""

from typing import NamedTuple

from ..extract.rows import ByName, mark, value_of
from ..records import STUDY
from ..records.rows import AccumulatedRow
from .contradictions import agrees, distinct, stated_once, words, written_sum


class Stated(NamedTuple):
    """The values that reports state for one total: each one (None where a container has none), and
    those of the containers that are not repeated."""

    values: list[float | None]
    single: list[float | None]


def stated_in(rows: list[AccumulatedRow], name: str, held: int = 0) -> Stated:
    """Return what the accumulated rows state of a total, the field `name` of theirs. held:
    how many events there are."""
    values = [value_of(row, name) for row in rows]
    return Stated(values, [values[place] for place in distinct(rows, held)])


def set_total(
    totals: ByName,
    name: str,
    stated: Stated,
    values: list[float | None],
    overlap: bool,
    *,
    others: bool = False,
    fits_parts: bool = False,
) -> None:
    """Set one total: what the reports state, or else the sum of `values`, one per event.

    others: the study has events of other kinds, so that no event of this kind means no dose.
    fits_parts: the stated values add up with those of other kinds, and are complete together."""
    known, single = (
        [number for number in numbers if number is not None]
        for numbers in (stated.values, stated.single)
    )
    of_events = [number for number in values if number is not None]
    comparable = len(of_events) == len(values) and (bool(values) or others)
    summed = written_sum(of_events) if comparable and values else None
    if known and not overlap:
        once = stated_once(known, single, of_events if comparable else None)
        counting = known if once is None else once
        fits = comparable and agrees(counting, of_events)
        if len(known) == len(stated.values) or fits or fits_parts:
            reported = written_sum(counting)
            if not reported and summed and not fits_parts:
                totals[name] = summed
                mark(totals, name, "given_zero", 0)
                return
            totals[name] = reported
            unit = STUDY.field(name).unit or ""
            if once is not None:
                why = words(known, unit, "counts", counting)
                mark(totals, name, "total_repeated", why)
            if comparable and not fits:
                why = words(counting, unit, "over the events", of_events)
                mark(totals, name, "total_differs", why)
            return
    if summed is not None:
        totals[name] = summed
        mark(totals, name, "computed")
    elif of_events or known:
        mark(totals, name, "incomplete", written_sum(known) if known else None)
