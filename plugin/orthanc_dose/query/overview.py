"""Data of the home and activity pages: studies per modality and system, arrivals, outcomes."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import duckdb

from ..records import MODALITIES, OUTCOMES
from ..store.database import rows
from ..store.disposal import DELETED, TO_DELETE


def summary(
    connection: duckdb.DuckDBPyConnection, today: date, days: int, more_days: int
) -> list[dict[str, Any]]:
    """Return the studies per modality and per system, without possible test data.

    These are the total number, the latest study, the numbers within the last `days` and `more_days`
    (today included), and the workload: studies per day over the longer of the two periods. The time
    of the latest study is the local time written by the modality.
    """
    query = """
        SELECT d.modality, d.equipment_id, e.display_name, e.manufacturer,
        e.manufacturer_model_name,
               sum(d.studies)::BIGINT AS studies, sum(d.events)::BIGINT AS events, max(d.study_date)
               AS last_day,
               max(d.study_date + d.last_time) AS last_moment
        FROM study_day d LEFT JOIN equipment e ON e.id = d.equipment_id GROUP BY ALL
    """
    systems = sorted(
        rows(connection.execute(query)),
        key=lambda row: ((row["display_name"] or "").lower(), row["equipment_id"]),
    )
    length = max(days, more_days)
    first = today - timedelta(days=length - 1)
    counts: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * length)
    query = (
        "SELECT modality, equipment_id, study_date, studies FROM study_day WHERE study_date "
        "BETWEEN $1 AND $2"
    )
    for modality, system, day, number in connection.execute(query, [first, today]).fetchall():
        counts[modality, system][(day - first).days] = number
    for row in systems:
        moment, day = row.pop("last_moment"), row.pop("last_day")
        # A study without a time can be the latest of all.
        row["last_study"] = day if moment is None or (day and day > moment.date()) else moment
        row |= _work(counts[row["modality"], row["equipment_id"]], first, days, more_days)
    return [
        _modality(code, of_code, first, days, more_days)
        for code in MODALITIES
        if (of_code := [row for row in systems if row["modality"] == code])
    ]


def _work(counts: list[int], first: date, days: int, more_days: int) -> dict[str, Any]:
    """Return the recent numbers and the workload, from the numbers per day."""
    return {
        "recent": [sum(counts[-number:]) for number in (days, more_days)],
        "today": counts[-1],
        "workload": {"from": first, "days": len(counts), "counts": counts},
    }


def _modality(
    code: str, systems: list[dict[str, Any]], first: date, days: int, more_days: int
) -> dict[str, Any]:
    out: dict[str, Any] = {"modality": code, "title": MODALITIES[code].title}
    out |= {name: sum(row[name] for row in systems) for name in ("studies", "events")}
    out["last_study"] = max(
        (row["last_study"] for row in systems if row["last_study"]), key=_moment, default=None
    )
    each_day = zip(*(row["workload"]["counts"] for row in systems), strict=True)
    out |= _work([sum(numbers) for numbers in each_day], first, days, more_days)
    out["systems"] = [
        {name: value for name, value in row.items() if name != "modality"} for row in systems
    ]
    return out


def _moment(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time.min)


def received_today(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the objects processed since midnight, by the server's clock, and their studies."""
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    query = "SELECT count(*), count(DISTINCT study_id) FROM object WHERE processed_at >= $1"
    found = connection.execute(query, [midnight.astimezone(UTC).replace(tzinfo=None)]).fetchone()
    return {"objects": found[0], "studies": found[1]} if found else {"objects": 0, "studies": 0}


def counts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Count what the store holds: studies by modality, events, objects by outcome.

    Also counts what the rules did with objects in Orthanc.
    """
    studies = dict.fromkeys(MODALITIES, 0) | dict(
        connection.execute("SELECT modality, count(*) FROM study GROUP BY modality").fetchall()
    )
    objects = dict.fromkeys(OUTCOMES, 0) | dict(
        connection.execute("SELECT outcome, count(*) FROM object GROUP BY outcome").fetchall()
    )
    events = connection.execute(
        "SELECT coalesce(sum(number_of_events), 0)::BIGINT FROM study WHERE not_counted IS NULL"
    ).fetchone()
    query = "SELECT in_orthanc, count(*) FROM object WHERE in_orthanc IS NOT NULL GROUP BY 1"
    rules = dict(connection.execute(query).fetchall())
    dropped = connection.execute("SELECT coalesce(sum(objects), 0)::BIGINT FROM dropped").fetchone()
    return {
        "studies": studies,
        "events": events[0] if events else 0,
        "objects": objects,
        "in_orthanc": {
            "to_delete": rules.get(TO_DELETE, 0),
            "deleted": rules.get(DELETED, 0),
            "dropped": dropped[0] if dropped else 0,
        },
    }
