"""Comparing what was retrieved with what the store has of it."""

from typing import Any

import duckdb

from ..records import FOUND
from ..store.database import rows

IMPORTED = ("imported", "merged", "duplicate")  # outcomes of objects that gave dose


def compare(connection: duckdb.DuckDBPyConnection, search: int) -> dict[str, Any]:
    """Record how many objects of each chosen series were requested, arrived and were imported.

    Returns the sums. For a series whose objects are unknown, the latter two remain empty, and the
    sums exclude it: not_listed is the number of such series that the node says it sent.
    """
    query = f"""
        WITH wanted AS (
            SELECT line, study_instance_uid, size, unnest(CASE WHEN len(images) > 0 THEN images WHEN
            len(listed) > 0 THEN listed
                ELSE [NULL] END) AS uid
            FROM "{FOUND.name}" WHERE task_id = $1 AND chosen
        ), counted AS (
            SELECT line, any_value(wanted.size) AS size, count(DISTINCT uid) AS wanted,
                count(DISTINCT object.sop_instance_uid) AS arrived,
                count(DISTINCT object.sop_instance_uid) FILTER (outcome IN {IMPORTED}) AS imported
            FROM wanted LEFT JOIN object
                ON object.study_instance_uid = wanted.study_instance_uid AND object.sop_instance_uid
                = wanted.uid
            GROUP BY line
        )
        UPDATE "{FOUND.name}" SET
            asked_for = CASE WHEN counted.wanted > 0 THEN counted.wanted ELSE counted.size END,
            arrived = CASE WHEN counted.wanted > 0 THEN counted.arrived END,
            imported = CASE WHEN counted.wanted > 0 THEN counted.imported END
        FROM counted WHERE task_id = $1 AND "{FOUND.name}".line = counted.line
    """
    connection.execute(query, [search])
    query = f"""
        SELECT count(*) AS series, count(*) FILTER (state = 'failed') AS failed,
            coalesce(sum(asked_for) FILTER (arrived IS NOT NULL), 0)::BIGINT AS asked_for,
            coalesce(sum(arrived), 0)::BIGINT AS arrived,
            coalesce(sum(imported), 0)::BIGINT AS imported, coalesce(sum(asked_for - arrived),
            0)::BIGINT AS missing,
            count(*) FILTER (state = 'moved' AND arrived IS NULL) AS not_listed
        FROM "{FOUND.name}" WHERE task_id = $1 AND chosen
    """
    [summary] = rows(connection.execute(query, [search]))
    return summary
