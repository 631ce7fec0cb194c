"""What the home and activity pages show: studies per modality and system, what came in, outcomes of objects."""

from datetime import UTC, date, datetime
from typing import Any

import duckdb

from ..records import MODALITIES, OUTCOMES
from ..store.database import rows


def summary(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Studies per modality and per system: numbers, the last study, the last 7 and 30 days. The last study's time is
    the local wall time that the modality wrote."""
    query = """
        SELECT s.modality, s.equipment_id, e.display_name, e.manufacturer, e.manufacturer_model_name,
               count(*) AS studies, sum(s.number_of_events)::BIGINT AS events,
               max(s.study_date + coalesce(s.study_time, TIME '00:00:00')) AS last_study,
               count(*) FILTER (s.study_date > $1::DATE - 7) AS last_7_days,
               count(*) FILTER (s.study_date > $1::DATE - 30) AS last_30_days,
               count(*) FILTER (s.study_date >= $1::DATE) AS today
        FROM study s LEFT JOIN equipment e ON e.id = s.equipment_id
        GROUP BY ALL
    """
    systems = sorted(
        rows(connection.execute(query, [date.today()])),
        key=lambda row: ((row["display_name"] or "").lower(), row["equipment_id"]),
    )
    return [_modality(code, [row for row in systems if row["modality"] == code]) for code in MODALITIES
            if any(row["modality"] == code for row in systems)]  # fmt: skip


def _modality(code: str, systems: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"modality": code, "title": MODALITIES[code].title}
    for name in ("studies", "events", "last_7_days", "last_30_days", "today"):
        out[name] = sum(row[name] for row in systems)
    out["last_study"] = max((row["last_study"] for row in systems if row["last_study"]), default=None)
    out["systems"] = [{name: value for name, value in row.items() if name != "modality"} for row in systems]
    return out


def system(connection: duckdb.DuckDBPyConnection, equipment_id: int) -> dict[str, Any] | None:
    """The row of a system, or None where there is none of this number."""
    found = rows(connection.execute("SELECT * FROM equipment WHERE id = $1", [equipment_id]))
    return found[0] if found else None


def received_today(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Objects that were processed since midnight, by the server's clock, and the studies that they went to."""
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    query = "SELECT count(*), count(DISTINCT study_id) FROM object WHERE processed_at >= $1"
    found = connection.execute(query, [midnight.astimezone(UTC).replace(tzinfo=None)]).fetchone()
    return {"objects": found[0], "studies": found[1]} if found else {"objects": 0, "studies": 0}


def counts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """How much the store holds: studies by modality, events, objects by outcome."""
    studies = dict.fromkeys(MODALITIES, 0) | dict(
        connection.execute("SELECT modality, count(*) FROM study GROUP BY modality").fetchall()
    )
    objects = dict.fromkeys(OUTCOMES, 0) | dict(
        connection.execute("SELECT outcome, count(*) FROM object GROUP BY outcome").fetchall()
    )
    events = connection.execute("SELECT coalesce(sum(number_of_events), 0)::BIGINT FROM study").fetchone()
    return {"studies": studies, "events": events[0] if events else 0, "objects": objects}
