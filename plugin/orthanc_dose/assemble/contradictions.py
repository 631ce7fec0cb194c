"""Compares what a report states with what else it states: a total with its irradiation events, a
total with its parts, and several totals of one thing.

Equipment rounds each number when it writes it. A total and the sum of others therefore agree if they
differ by no more than half a unit of the last digit of each of them (a whole unit up to 5 %, since
some equipment cuts digits off), and by 2 % besides, since equipment reads its meter for the total and
for each event on its own (1.8 % in a real report).

Whatever differs by more is marked with both values, and what the report states counts: the
equipment has measured it, and may know of irradiation that no event describes. The exceptions are a
total of 0 beside events with dose, and a total that is stated several times."""

from collections.abc import Iterable, Sequence
from math import fsum

from ..dicom.decimals import exact_sum
from ..extract.modality import canonical_code
from ..extract.rows import ByName, by_name, mark, value_of
from ..extract.values import Written, step_of
from ..records.rows import AccumulatedRow, EventRow

# The share of the larger number by which the total of real equipment differs from its events, and
# the share up to which digits may have been cut off in place of rounding.
_METER, _CUT = 0.02, 0.05
_NOT_CONTENT = frozenset({"marks", "sop_instance_uid", "source", "study_id"})


def agrees(whole: Iterable[float], parts: Iterable[float]) -> bool:
    """Return whether two sums are equal within the digits of their numbers."""
    one, other = list(whole), list(parts)
    sums = fsum(one), fsum(other)
    size = max(map(abs, sums))
    digits = _steps(one, other) + _steps(other, one)
    allowed = max(digits / 2, min(digits, _CUT * size)) + _METER * size
    return abs(sums[0] - sums[1]) <= allowed * (1 + 1e-9)


def _steps(numbers: list[float], others: list[float]) -> float:
    """Return the steps of the last digits of these numbers together. Where one has more decimals,
    so have the others, whose last digits are zeros; a 0 alone is as precise as the other numbers.
    """
    measured = [number for number in numbers if number]
    known = measured or [*numbers, *(number for number in others if number)]
    return len(numbers) * min(map(step_of, known), default=0.0)


def written_sum(values: Iterable[float]) -> Written:
    """Return a sum that is as precise as its values together."""
    known = list(values)
    return Written(exact_sum(known), fsum(map(step_of, known)))


def distinct(rows: Sequence[AccumulatedRow], held: int = 0) -> list[int]:
    """Return the places of the rows, without those that repeat another one of the same object. held:
    how many events there are; equal rows that together announce no more are of different ones."""
    contents = [
        {"": row.get("sop_instance_uid")}
        | {name: value for name, value in row.items() if name not in _NOT_CONTENT}
        for row in rows
    ]
    places = []
    for place, (row, content) in enumerate(zip(rows, contents, strict=True)):
        announced = row.get("total_number_of_irradiation_events")
        different = announced and announced * contents.count(content) <= held
        if different or len(content) == 1 or content not in contents[:place]:
            places.append(place)
    return places


def stated_once(
    given: list[float], single: list[float], events: list[float] | None
) -> list[float] | None:
    """Return the totals that count if some of `given` state the same thing again; None if all of
    them count.

    single: the totals without those of repeated containers. events: the values of all events, None
    if they are not known. Containers over different events add up to them, even if they have equal
    values; a total that alone equals the sum over the events is that of all of them."""
    if len(given) < 2:
        return None
    if events is not None:
        if agrees(given, events):
            return None
        if agrees(single, events):
            return single
        # The first in the order of size, so that the order of the objects does not matter.
        for one in sorted(given):
            if one and agrees([one], events):
                return [one]
    return single if len(single) < len(given) else None


def words(stated: Iterable[float], unit: str, other: str, values: Iterable[float]) -> str:
    """Return both values for a mark, in the field's unit: "7056 mGy.cm stated, 705.6 over the
    events"."""
    return (
        f"{' + '.join(f'{number:g}' for number in stated)} {unit} stated, "
        f"{written_sum(values):.6g} {other}"
    )


def check_parts(
    totals: ByName, name: str, unit: str, parts: Sequence[tuple[str, float | None, bool]]
) -> None:
    """Mark a stated total that its parts contradict: if each of them is stated, they must add up to
    it; if not, they must not exceed it.

    parts: what each is called, its value, and whether the report states it."""
    total = totals.get(name)
    known = [(called, value) for called, value, _ in parts if value is not None]
    marks = {one["mark"] for one in totals.get("marks", ()) if one["field"] == name}
    if total is None or not known or marks & {"computed", "given_zero"}:
        return
    values = [value for _, value in known]
    all_stated = all(stated and value is not None for _, value, stated in parts)
    if agrees([total], values) or (not all_stated and fsum(values) < total):
        return
    said = ", ".join(f"{called} {value:g}" for called, value in known)
    mark(totals, name, "parts_differ", f"total {total:g} {unit}; {said}")


def check_row_totals(
    rows: Sequence[AccumulatedRow], name: str, unit: str, values: list[float | None]
) -> None:
    """Mark the totals of accumulated rows, for which the study has no field of its own, if they
    contradict the events."""
    stated = [number for row in rows if (number := value_of(row, name)) is not None]
    known = [value for value in values if value is not None]
    if not stated or len(stated) < len(rows) or len(known) < len(values):
        return
    single = [value_of(rows[place], name) for place in distinct(rows)]
    if not agrees(stated, known) and not agrees(single, known):
        for row in rows:
            mark(by_name(row), name, "total_differs", words(stated, unit, "over the events", known))


def check_phantoms(rows: Sequence[AccumulatedRow], totals: ByName, events: list[EventRow]) -> None:
    """Mark a DLP total that its sub-totals by phantom contradict, and sub-totals that the events
    with that phantom contradict (TID 10012 row 3a)."""
    for row in rows:
        subtotals = row.get("dlp_sub_totals") or []
        stated = [number for one in subtotals if (number := one.get("dlp")) is not None]
        total = row.get("dlp_total")
        if total is None or len(stated) < max(len(subtotals), 1):
            continue
        if not agrees([total], stated):
            mark(
                totals,
                "dlp_total",
                "parts_differ",
                words([total], "mGy.cm", "over the phantoms", stated),
            )
        for one in subtotals if len(rows) == 1 else ():
            phantom = canonical_code(one.get("ctdiw_phantom_type"))
            of_phantom = [
                dlp
                for event in events
                if canonical_code(event.get("ctdiw_phantom_type")) == phantom
                and (dlp := event.get("dlp")) is not None
            ]
            said = one.get("dlp")
            if phantom and said is not None and not agrees([said], of_phantom):
                mark(
                    by_name(row), "dlp_sub_totals", "total_differs",
                    words([said], "mGy.cm", "over the events with this phantom", of_phantom),
                )  # fmt: skip


def check_activity(row: EventRow) -> None:
    """Mark an administered activity above what left the syringe: the activity before less that
    after. It may be below, since it has decayed since it was measured."""
    given, before = row.get("administered_activity"), row.get("pre_administration_activity")
    after = row.get("post_administration_activity") or 0.0
    if given is None or before is None:
        return
    if given + after > before and not agrees([before], [given, after]):
        mark(
            row,
            "administered_activity",
            "parts_differ",
            f"administered {given:g} MBq; before {before:g}, after {after:g}",
        )
