"""The reference levels of an installation."""

from typing import Any

import duckdb

from ..dicom.patterns import matched
from ..records import REFERENCE_LEVEL
from ..store.database import rows

Level = dict[str, Any]  # by the fields of REFERENCE_LEVEL, in stored units


def listed(connection: duckdb.DuckDBPyConnection) -> list[Level]:
    """All of them, by modality type and name."""
    columns = ", ".join(REFERENCE_LEVEL.names)
    order = (
        "modality, lower(name), quantity, age_from NULLS FIRST, weight_from NULLS FIRST, year "
        "DESC, id"
    )
    return rows(connection.execute(f"SELECT {columns} FROM reference_level ORDER BY {order}"))


def compared(connection: duckdb.DuckDBPyConnection, modality: str, quantity: str) -> list[Level]:
    """Those that values of a quantity are compared with: valid ones that say what they are for."""
    return [
        level
        for level in listed(connection)
        if level["valid"]
        and (level["pattern"] or level["standard_name"])
        and (level["modality"], level["quantity"]) == (modality, quantity)
    ]


def is_for(level: Level, name: str, standard_names: dict[str, str]) -> bool:
    """Whether a level is for what systems call by this name. standard_names: those that names in
    lower case have.
    """
    if level["pattern"]:
        return matched(name, [level["pattern"]]) is not None
    wanted: str = level["standard_name"]
    return standard_names.get(name.lower(), "").casefold() == wanted.casefold()
