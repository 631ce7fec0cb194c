"""Heights and weights from imported files.

They are kept by study, and put into the records now and whenever these are rewritten.
"""

import duckdb

from . import feed
from .tasks import now

# A record takes the value of a file if its objects give none, or if a user chose to overwrite it.
_TAKES = {
    (
        column,
        value,
    ): f"""(p.{value} IS NOT NULL AND (s.{column} IS NULL OR s.{column}_from = 'import'
        OR (p.{value}_overwrites = 1 AND abs(s.{column} - p.{value}) >= 1e-6)))"""
    for column, value in (("patient_size", "height"), ("patient_weight", "weight"))
}
_SET = ", ".join(
    f"{column} = CASE WHEN {takes} THEN p.{value} ELSE s.{column} END,"
    f" {column}_from = CASE WHEN {takes} THEN 'import' ELSE s.{column}_from END"
    for (column, value), takes in _TAKES.items()
)


def keep_sizes(connection: duckdb.DuckDBPyConnection, decided: str, task: int) -> None:
    """Keep the values that an import puts in, from the table `decided` (sizes/matching.py).

    They are added to what earlier imports gave for the same studies, and put into the records.
    """

    def given(value: str) -> str:
        puts_in = f"{value}_state IN ('inserted', 'overwritten')"
        return f"""
            coalesce(any_value(d.{value}) FILTER ({puts_in}), any_value(p.{value})) AS {value},
            CASE WHEN coalesce(bool_or({value}_state = 'overwritten'), false) THEN 1
            ELSE any_value(p.{value}_overwrites) END AS {value}_overwrites
        """

    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE size_kept AS SELECT d.uid AS study_instance_uid,
        {given("height")}, {given("weight")}
        FROM {decided} d LEFT JOIN patient_size p ON p.study_instance_uid = d.uid
        WHERE d.outcome IN ('inserted', 'overwritten') GROUP BY d.uid
    """)
    connection.execute(
        "DELETE FROM patient_size p USING size_kept k WHERE p.study_instance_uid = "
        "k.study_instance_uid"
    )
    query = (
        "INSERT INTO patient_size BY NAME SELECT *, $1 AS task_id, $2 AS changed_at FROM size_kept"
    )
    connection.execute(query, [task, now()])
    _put_in(connection, "size_kept")
    of_these = "SELECT study_instance_uid FROM size_kept"
    feed.mark_changed(
        connection, "changed", f"SELECT id FROM study WHERE study_instance_uid IN ({of_these})"
    )


def put_into(connection: duckdb.DuckDBPyConnection, uids: str) -> None:
    """Put the values from files into the records of some studies.

    uids: a table whose column `text` holds their Study Instance UIDs.
    """
    given = f"SELECT * FROM patient_size WHERE study_instance_uid IN (SELECT text FROM {uids})"
    if connection.execute(f"{given} LIMIT 1").fetchone():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE size_again AS {given}")
        _put_in(connection, "size_again")


def forget_sizes_without_study(connection: duckdb.DuckDBPyConnection, gone: str) -> None:
    """Forget the values from files for studies that have no record any more.

    gone: a table with the column study_instance_uid; only its studies are considered.
    """
    connection.execute(f"""
        DELETE FROM patient_size WHERE study_instance_uid IN (SELECT study_instance_uid FROM {gone})
        AND study_instance_uid NOT IN (SELECT study_instance_uid FROM study)
    """)


def _put_in(connection: duckdb.DuckDBPyConnection, sizes: str) -> None:
    connection.execute(
        f"UPDATE study s SET {_SET} FROM {sizes} p WHERE p.study_instance_uid = "
        f"s.study_instance_uid"
    )
