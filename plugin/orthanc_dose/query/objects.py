"""Objects with their outcomes: lists, and the objects of one study."""

from datetime import datetime
from typing import Any

import duckdb

from ..dicom.sop_classes import sop_class_name
from ..extract import EXTRACTOR_VERSION
from ..records import OBJECT
from ..records.rows import DroppedRow, ObjectRow
from ..store.database import rows, rows_of

COLUMNS = tuple(name for name in OBJECT.names if name not in ("content", "content_digest"))


def list_objects(
    connection: duckdb.DuckDBPyConnection,
    filters: dict[str, Any],
    sort: str,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """Return a page of objects with their outcomes, and the number of all objects found.

    filters: the value of a column, by its name, or several values of which one must match; for the
    reason, a text that it contains, ignoring case. Raises ValueError if `sort` names no column.
    """
    name, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    if name not in COLUMNS:
        raise ValueError(f"not a column to sort by: {name}")
    where = " AND ".join(_condition(column, value) for column, value in filters.items()) or "true"
    total = connection.execute(f"SELECT count(*) FROM object WHERE {where}", filters).fetchone()
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM object WHERE {where}"
        f" ORDER BY {name} {direction} NULLS LAST, handle LIMIT {limit:d} OFFSET {offset:d}"
    )
    found = [_object_row(row) for row in rows_of(connection.execute(query, filters), ObjectRow)]
    return {"total": total[0] if total else 0, "objects": found}


def _condition(column: str, value: Any) -> str:
    if column == "reason":
        return "contains(lower(reason), lower($reason))"
    return (
        f"{column} IN (SELECT unnest(${column}))"
        if isinstance(value, list)
        else f"{column} = ${column}"
    )


def held(connection: duckdb.DuckDBPyConnection, filters: dict[str, Any]) -> list[str]:
    """Return the handles of all objects found that Orthanc may hold.

    Objects that were deleted from Orthanc or refused are left out.
    """
    where = " AND ".join(
        [
            "deleted_at IS NULL AND in_orthanc IS DISTINCT FROM 'refused'",
            *(_condition(column, value) for column, value in filters.items()),
        ]
    )
    return [
        row[0]
        for row in connection.execute(
            f"SELECT handle FROM object WHERE {where}", filters
        ).fetchall()
    ]


def count_nested(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the objects nested too deeply: in_orthanc, those that Orthanc holds; and refused."""
    query = """
        SELECT count(*) FILTER (in_orthanc IS NULL), count(*) FILTER (in_orthanc = 'refused')
        FROM object WHERE outcome = 'failed' AND rule = 'nested'
    """
    found = connection.execute(query).fetchone() or (0, 0)
    return {"in_orthanc": found[0], "refused": found[1]}


def outcomes_of(
    connection: duckdb.DuckDBPyConnection, uids: list[str]
) -> dict[str, list[tuple[str, str | None]]]:
    """Return the outcomes and rules of the objects with each of these SOP Instance UIDs."""
    query = (
        "SELECT sop_instance_uid, outcome, rule FROM object WHERE sop_instance_uid IN (SELECT "
        "unnest($1))"
    )
    found: dict[str, list[tuple[str, str | None]]] = {uid: [] for uid in uids}
    for uid, outcome, rule in connection.execute(query, [uids]).fetchall():
        found[uid].append((outcome, rule))
    return found


def by_rule(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Count the objects decided by each rule, with their size in bytes, the most frequent first."""
    query = """
        SELECT outcome, rule, count(*) AS objects, coalesce(sum(size), 0)::BIGINT AS bytes FROM
        object
        GROUP BY ALL ORDER BY objects DESC, outcome, rule
    """
    return rows(connection.execute(query))


def dropped(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Count the objects that were not stored at all, by SOP class, the most frequent first."""
    query = "SELECT * FROM dropped ORDER BY objects DESC, sop_class_uid"
    return [
        {
            **row,
            "sop_class_name": sop_class_name(row["sop_class_uid"]),
            "first_at": utc(row["first_at"]),
            "last_at": utc(row["last_at"]),
        }
        for row in rows_of(connection.execute(query), DroppedRow)
    ]


def objects_of_study(connection: duckdb.DuckDBPyConnection, study_id: int) -> list[dict[str, Any]]:
    """Return the objects from which a study was read."""
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM object WHERE study_id = $1 ORDER BY received_at, "
        f"sop_instance_uid"
    )
    return [_object_row(row) for row in rows_of(connection.execute(query, [study_id]), ObjectRow)]


def study_instance_uid(connection: duckdb.DuckDBPyConnection, study_id: int) -> str | None:
    """Return the UID of a study, or None if there is no study with this number."""
    query = "SELECT study_instance_uid FROM study WHERE id = $1"
    found = connection.execute(query, [study_id]).fetchone()
    return found[0] if found else None


def count_outdated(connection: duckdb.DuckDBPyConnection) -> int:
    """Count the objects with kept content that were read by another version of the extractors."""
    query = "SELECT count(*) FROM object WHERE content IS NOT NULL AND extractor_version <> $1"
    found = connection.execute(query, [EXTRACTOR_VERSION]).fetchone()
    return found[0] if found else 0


def _object_row(row: ObjectRow) -> dict[str, Any]:
    return {
        **row,
        "sop_class_name": sop_class_name(row["sop_class_uid"]),
        "received_at": utc(row["received_at"]),
        "processed_at": utc(row["processed_at"]),
        "deleted_at": utc(row["deleted_at"]),
    }


def utc(moment: datetime | None) -> str | None:
    """Return a time of the server, which the store keeps in UTC, as ISO 8601 with a "Z"."""
    return None if moment is None else moment.isoformat(timespec="seconds") + "Z"
