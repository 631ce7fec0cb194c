"""Objects with what became of them: lists, and the objects of one study."""

from datetime import datetime
from typing import Any

import duckdb
from pydicom.uid import UID

from ..extract import EXTRACTOR_VERSION
from ..records import OBJECT
from ..store.database import rows

COLUMNS = tuple(name for name in OBJECT.names if name not in ("content", "content_digest"))


def list_objects(
    connection: duckdb.DuckDBPyConnection, filters: dict[str, Any], sort: str, limit: int, offset: int
) -> dict[str, Any]:
    """A page of objects with their outcomes, and how many there are. `filters` are column names with the value."""
    name, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    if name not in COLUMNS:
        raise ValueError(f"not a column to sort by: {name}")
    where = " AND ".join(f"{column} = ${column}" for column in filters) or "true"
    total = connection.execute(f"SELECT count(*) FROM object WHERE {where}", filters).fetchone()
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM object WHERE {where}"
        f" ORDER BY {name} {direction} NULLS LAST, orthanc_id LIMIT {limit:d} OFFSET {offset:d}"
    )
    found = [_shown(row) for row in rows(connection.execute(query, filters))]
    return {"total": total[0] if total else 0, "objects": found}


def of_study(connection: duckdb.DuckDBPyConnection, study_id: int) -> list[dict[str, Any]]:
    """The objects that a study was read from."""
    query = f"SELECT {', '.join(COLUMNS)} FROM object WHERE study_id = $1 ORDER BY received_at, sop_instance_uid"
    return [_shown(row) for row in rows(connection.execute(query, [study_id]))]


def count_outdated(connection: duckdb.DuckDBPyConnection) -> int:
    """How many objects with kept content were read by another version of the extractors."""
    query = "SELECT count(*) FROM object WHERE content IS NOT NULL AND extractor_version <> $1"
    found = connection.execute(query, [EXTRACTOR_VERSION]).fetchone()
    return found[0] if found else 0


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    row["sop_class_name"] = sop_class_name(row["sop_class_uid"])
    row["received_at"], row["processed_at"] = utc(row["received_at"]), utc(row["processed_at"])
    return row


def sop_class_name(uid: str | None) -> str | None:
    """The standard's name of a SOP class, or None for one that it does not know."""
    return (UID(uid).name if UID(uid).name != uid else None) if uid else None


def utc(moment: datetime | None) -> str | None:
    """A moment of the server, which the store keeps in UTC, as ISO 8601 that says so."""
    return None if moment is None else moment.isoformat(timespec="seconds") + "Z"
