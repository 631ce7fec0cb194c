"""Several reports, or dose screens, of one study, modality type and system, merged by their
irradiation events.
"""

from ..records.rows import EventRow
from .parts import Key, Outcome, Part, Record, event_keys, filled, modality_of, numbered, of


def record(group: list[Part]) -> Record:
    """Return the record of reports that are in the order in which their content was made; see
    merge.py for the rules.
    """
    counting: list[Part] = []
    known: dict[Key, tuple[Part, EventRow]] = {}
    outcomes: dict[str, Outcome] = {}
    overlap = False
    for part in group:
        rows = dict(zip(event_keys(part), part.extract.events, strict=True))
        old = known.keys()
        if not counting:
            outcomes[part.sop_instance_uid] = Outcome("imported")
        elif rows and rows.keys() <= old:
            outcomes[part.sop_instance_uid] = Outcome(
                "duplicate",
                "same_events",
                "All of its irradiation events are already in the study.",
            )
            continue
        elif old <= rows.keys():
            for earlier in counting:
                outcomes[earlier.sop_instance_uid] = Outcome(
                    "merged",
                    "cumulative",
                    "A later report of the study contains all of its irradiation events."
                    if rows
                    else "A later report without irradiation events replaces its totals.",
                )
            outcomes[part.sop_instance_uid] = Outcome(
                "imported", "cumulative", "It replaces earlier reports that it contains."
            )
            counting, known, overlap = [], {}, False
        elif not rows.keys() & old:
            if not rows:
                outcomes[part.sop_instance_uid] = Outcome(
                    "duplicate",
                    "no_events",
                    "It contains no irradiation events, whereas the study has some.",
                )
                continue
            reason = f"It continues the study: {len(rows)} irradiation events were added."
            outcomes[part.sop_instance_uid] = Outcome("merged", "continued", reason)
        else:
            shared = len(rows.keys() & old)
            reason = (
                f"{shared} of its {len(rows)} irradiation events were known and now have its "
                "values; the others were added."
            )
            outcomes[part.sop_instance_uid] = Outcome("merged", "overlap", reason)
            overlap = True
        counting.append(part)
        known |= {key: (part, row) for key, row in rows.items()}
    events = [of(part, row) for part, row in known.values()]
    source = group[0].extract.source
    accumulated = [of(part, row) for part in counting for row in part.extract.accumulated]
    return Record(
        modality=modality_of(group),
        source=source,
        study=filled([part.extract.study for part in counting]),
        equipment=filled([part.extract.equipment for part in counting]),
        accumulated=accumulated,
        events=numbered(events, by_start=len(counting) > 1),
        parts=counting,
        # Pages of a dose screen may each print the total of all pages.
        overlap=overlap or (source != "report" and len(accumulated) > 1),
        outcomes=outcomes,
    )
