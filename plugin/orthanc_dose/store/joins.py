"""Merging systems and undoing that, naming them and setting their values.

These are statements within the writer's transaction.
"""

from typing import Any

import duckdb

from . import feed
from .index import count_systems
from .systems import Systems

# The value of a study's `made_by` where its objects name several systems that were merged.
SEVERAL = 0


class Refused(Exception):
    """Raised when a request cannot be carried out in the current state.

    The message tells a user why.
    """


class Missing(Refused):
    """Raised when there is no such system."""


def set_values(connection: duckdb.DuckDBPyConnection, systems: Systems, numbers: set[int]) -> None:
    """Write what people set for these rows, as given by `systems`."""
    for number in numbers:
        row = systems.rows[number]
        query = (
            "UPDATE equipment SET display_name = $1, user_defined_modality = $2, joined_into = "
            "$3 WHERE id = $4"
        )
        connection.execute(
            query, [row["display_name"], row["user_defined_modality"], row["joined_into"], number]
        )


def check_join(systems: Systems, numbers: set[int], into: int) -> None:
    """Raise Refused if these systems cannot be merged into that one."""
    if into in numbers:
        raise Refused("A system cannot be merged with itself.")
    for number in (*sorted(numbers), into):
        if number not in systems.rows:
            raise Missing(f"There is no system with the number {number}.")
        if systems.rows[number].get("joined_into") is not None:
            raise Refused(f"System {number} is merged into another system: undo that merge first.")


def move_studies(
    connection: duckdb.DuckDBPyConnection, origin: int, to: int, named: set[int] | None = None
) -> None:
    """Give the studies of one system to another.

    named: if given, only those studies whose objects name one of these systems alone.
    """
    condition = "equipment_id = $1"
    bound: list[int | list[int]] = [origin, to]
    if named is not None:
        condition += " AND made_by IN (SELECT unnest($3))"
        bound.append(sorted(named))
    query = (
        f"UPDATE study SET made_by = coalesce(made_by, equipment_id), equipment_id = $2 WHERE "
        f"{condition} RETURNING id"
    )
    moved = [row[0] for row in connection.execute(query, bound).fetchall()]
    feed.mark_changed(connection, "changed", "SELECT unnest($1::BIGINT[])", [moved])


def count_again(connection: duckdb.DuckDBPyConnection, numbers: set[int]) -> None:
    """Recount the studies per day of these systems."""
    count_systems(connection, sorted(numbers))


def in_several_records(connection: duckdb.DuckDBPyConnection, numbers: set[int]) -> list[str]:
    """Return the Study Instance UIDs with several records of one modality type.

    At least one of the records is of one of these systems: once the systems are merged, their
    objects may belong together.
    """
    query = """
        SELECT DISTINCT study_instance_uid FROM (
            SELECT study_instance_uid FROM study GROUP BY study_instance_uid, modality
            HAVING count(*) > 1 AND bool_or(equipment_id IN (SELECT unnest($1)))
        )
    """
    return _texts(connection, query, [sorted(numbers)])


def named_several(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the Study Instance UIDs of records whose objects name several merged systems."""
    return _texts(
        connection, f"SELECT DISTINCT study_instance_uid FROM study WHERE made_by = {SEVERAL}", []
    )


def _texts(connection: duckdb.DuckDBPyConnection, query: str, bound: list[Any]) -> list[str]:
    return [row[0] for row in connection.execute(query, bound).fetchall()]
