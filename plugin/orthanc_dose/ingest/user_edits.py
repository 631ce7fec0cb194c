"""Changes that users make to systems and names, each in one transaction."""

from collections.abc import Callable
from typing import Any

import duckdb

from ..records.rows import EquipmentRow
from ..store import Batch, Writer, joins
from ..store.joins import Missing, Refused
from ..store.names import Entry, StandardNames
from ..store.systems import Systems, display_name
from . import assembly


def rename_systems(writer: Writer, numbers: list[int], name: str) -> None:
    """Name these systems; an empty name restores the default name. Raises Refused."""
    systems = writer.systems
    for number in numbers:
        row = _row(systems, number)
        systems = systems.with_values({number}, display_name=name or display_name(row))
    writer.commit(
        Batch(
            more=lambda connection: joins.set_values(connection, systems, set(numbers)),
            systems=systems,
        )
    )


def join_systems(writer: Writer, numbers: set[int], into: int) -> bool:
    """Join these systems into that one, which takes over their present and future studies.

    Returns whether its studies must be sorted because the systems were set to different modality
    types. Raises Refused.
    """
    joins.check_join(writer.systems, numbers, into)
    systems = writer.systems.with_values(numbers, joined_into=into)

    def more(connection: duckdb.DuckDBPyConnection) -> None:
        joins.set_values(connection, systems, numbers)
        for number in numbers:
            joins.move_studies(connection, number, into)
        joins.count_again(connection, {*numbers, into})

    together = joins.in_several_records(writer.connection, {*numbers, into})
    _commit(writer, together, systems, more)
    return len({systems.rows[number]["user_defined_modality"] for number in (*numbers, into)}) > 1


def separate_system(writer: Writer, number: int) -> bool:
    """Undo a merge.

    The system gets back the studies whose objects name it, or a system that was merged into it.
    Returns whether these must be sorted because the systems are set to different modality types.
    Raises Refused.
    """
    row = _row(writer.systems, number)
    if row.get("joined_into") is None:
        raise Refused(f"System {number} is not merged into another system.")
    before, root = writer.systems, writer.systems.root(number)
    systems = before.with_values({number}, joined_into=None)

    def more(connection: duckdb.DuckDBPyConnection) -> None:
        joins.set_values(connection, systems, {number})
        joins.move_studies(connection, root, number, named=before.joined(number))
        joins.count_again(connection, {root, number})

    _commit(writer, joins.named_several(writer.connection), systems, more)
    return bool(row["user_defined_modality"] != before.rows[root]["user_defined_modality"])


def rename_terms(writer: Writer, change: Callable[[list[Entry]], list[Entry]]) -> None:
    """Change the map of standard names."""
    names = StandardNames(change(writer.names.entries))
    writer.commit(Batch(more=names.write_map, names=names))


def _commit(
    writer: Writer,
    together: list[str],
    systems: Systems,
    more: Callable[[duckdb.DuckDBPyConnection], Any],
) -> None:
    batch = assembly.again(writer, together, systems) if together else Batch(systems=systems)
    batch.more = more
    writer.commit(batch)


def _row(systems: Systems, number: int) -> EquipmentRow:
    if number not in systems.rows:
        raise Missing(f"There is no system with the number {number}.")
    return systems.rows[number]
