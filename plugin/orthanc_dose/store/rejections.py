"""Queries about rejection notes and the objects that they reject."""

from collections.abc import Iterable

import duckdb

from .database import texts
from .handles import LOST

COUNTING = "('imported', 'merged', 'duplicate')"


def studies_rejected_for(
    connection: duckdb.DuckDBPyConnection, reason: str, after: str = ""
) -> list[str]:
    """Return the Study Instance UIDs of the objects in the record that notes reject for this
    reason, sorted, after `after`."""
    query = f"""
        SELECT DISTINCT o.study_instance_uid FROM object o
        WHERE o.sop_instance_uid IN (SELECT sop_instance_uid FROM rejected_object WHERE reason = $1)
        AND o.outcome IN {COUNTING} AND o.study_instance_uid > $2 ORDER BY 1
    """
    return [row[0] for row in connection.execute(query, [reason, after]).fetchall()]


def notes_among(connection: duckdb.DuckDBPyConnection, handles: Iterable[str]) -> set[str]:
    """Return those of these handles that are of rejection notes."""
    query = "SELECT DISTINCT handle FROM rejected_object WHERE handle IN (SELECT text FROM handles)"
    with texts(connection, "handles", list(handles)):
        return {row[0] for row in connection.execute(query).fetchall()}


def notes_in_orthanc(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the handles of the rejection notes of which no deletion was noticed."""
    query = f"""
        SELECT handle FROM object WHERE in_orthanc IS NULL AND NOT starts_with(handle, '{LOST}')
        AND handle IN (SELECT handle FROM rejected_object)
    """
    return {row[0] for row in connection.execute(query).fetchall()}
