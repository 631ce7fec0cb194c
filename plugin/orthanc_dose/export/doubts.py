"""The marks of a study in words: which values are not plainly what its objects say, and why."""

from collections.abc import Iterator, Sequence
from typing import cast

from ..query.studies import StudyDetail
from ..records import MODALITIES, STUDY, Table
from ..records.rows import EventRow, Marked
from .shown import Shown


def lines_of(study: StudyDetail, shown: Shown) -> Iterator[str]:
    """Yield why values are not plainly what the objects say.

    There is a line for each reason and table, with what the objects say.
    """
    modality = MODALITIES[study["modality"]]
    parts: list[tuple[str, Table | None, Sequence[Marked]]] = [
        ("", STUDY, [study]),
        (f"{shown.words.say('study.accumulated')}, ", modality.accumulated, study["accumulated"]),
        ("", modality.events, study["events"]),
    ]
    for where, table, rows in parts:
        if table is None:
            continue
        reasons: dict[tuple[str, str], dict[str, list[int]]] = {}
        for row in rows:
            for mark in row.get("marks") or ():
                said = (
                    f" ({shown.words.say('study.asWritten', text=mark['raw'])})"
                    if mark["raw"]
                    else ""
                )
                of_reason = reasons.setdefault((mark["mark"], mark["field"]), {})
                of_reason.setdefault(said, []).append(cast("EventRow", row).get("event_number", 0))
        for (reason, name), written in reasons.items():
            why = f"{where}{_named(name, table, shown)} – {shown.words.mark(reason)}"
            if table is modality.events:
                # After the reason, since the list may be long.
                why += f": {shown.words.events(modality.code, sum(map(len, written.values())))} "
                written = {
                    f"{_ranges(numbers)}{said}": numbers for said, numbers in written.items()
                }
            yield f"• {why}{', '.join(written)}."


def _ranges(numbers: Sequence[int]) -> str:
    """Return the numbers as ranges: 1, 2, 3 and 5 as "1–3, 5"."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _named(name: str, table: Table, shown: Shown) -> str:
    """Return the title of a mark's field; "xray_sources.kvp" is a field within structs."""
    outer, _, inner = name.partition(".")
    field = next((one for one in table.fields if one.name == outer), None)
    part = next((one for one in field.fields if one.name == inner), None) if field else None
    titles = [
        shown.words.title(field, table) if field else outer,
        shown.words.title(part, table, field) if part and field else inner,
    ]
    return ": ".join(filter(None, titles))
