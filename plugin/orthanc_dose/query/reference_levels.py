"""The reference levels of an installation."""

import duckdb

from ..dicom.patterns import matched
from ..records import REFERENCE_LEVEL
from ..records.rows import ReferenceLevelRow
from ..store.database import rows_of


def read_levels(connection: duckdb.DuckDBPyConnection) -> list[ReferenceLevelRow]:
    """Return all levels in stored units, sorted by modality type and name."""
    columns = ", ".join(REFERENCE_LEVEL.names)
    order = (
        "modality, lower(name), quantity, age_from NULLS FIRST, weight_from NULLS FIRST, year "
        "DESC, id"
    )
    query = f"SELECT {columns} FROM reference_level ORDER BY {order}"
    return rows_of(connection.execute(query), ReferenceLevelRow)


def compared(
    connection: duckdb.DuckDBPyConnection, modality: str, quantity: str
) -> list[ReferenceLevelRow]:
    """Return the levels for a quantity that are valid and say what they are for."""
    return [
        level
        for level in read_levels(connection)
        if level["valid"]
        and (level["pattern"] or level["standard_name"])
        and (level["modality"], level["quantity"]) == (modality, quantity)
    ]


def is_for(level: ReferenceLevelRow, name: str, standard_names: dict[str, str]) -> bool:
    """Return whether a level is for what systems call by this name.

    standard_names: by name in lower case, its standard name.
    """
    if pattern := level["pattern"]:
        return matched(name, [pattern]) is not None
    wanted = level["standard_name"] or ""
    return standard_names.get(name.lower(), "").casefold() == wanted.casefold()
