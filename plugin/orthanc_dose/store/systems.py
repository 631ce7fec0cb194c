"""The systems that made the studies.

They tell which row of equipment belongs to an object, and which rows are merged into which.
"""

from collections.abc import Mapping
from typing import Any, cast

import duckdb

from ..records import EQUIPMENT, EQUIPMENT_KEY
from ..records.rows import EquipmentRow
from .database import rows_of

Key = tuple[str | None, ...]
SET = tuple(
    name for name in EQUIPMENT.names if name not in ("id", *EQUIPMENT_KEY)
)  # what people set


class Systems:
    """All rows of equipment, as the writer knows them.

    Rows that are merged into another remain, so that the merge can be undone: an object names
    one of them, and its study belongs to the `root`.
    """

    def __init__(self, found: list[EquipmentRow]) -> None:
        self.rows: dict[int, EquipmentRow] = {row["id"]: row for row in found}
        self._by_key: dict[Key, int] = {_key(row): row["id"] for row in found}

    @classmethod
    def read_systems(cls, connection: duckdb.DuckDBPyConnection) -> "Systems":
        """Read the systems of the store."""
        return cls(rows_of(connection.execute("SELECT * FROM equipment"), EquipmentRow))

    def copy(self) -> "Systems":
        return Systems(list(self.rows.values()))

    def find(self, equipment: EquipmentRow) -> int | None:
        """Return the number of the row with these fields, or None."""
        return self._by_key.get(_key(equipment))

    def add(self, equipment: EquipmentRow, number: int) -> EquipmentRow:
        """Add and return a new row with these fields, under this number.

        It inherits what people set for the row without its gantry.
        """
        before = self._known(equipment)
        inherited = (
            {name: value for name, value in self.rows[before].items() if name in SET}
            if before
            else {"display_name": display_name(equipment)}
        )
        row = cast(
            "EquipmentRow",
            dict.fromkeys(EQUIPMENT.names) | equipment | inherited | {"id": number},
        )
        self.rows[number] = row
        self._by_key[_key(row)] = number
        return row

    def root(self, number: int) -> int:
        """Return the system that has this one's studies: itself, or the one it is finally merged
        into.
        """
        while (into := self.rows[number].get("joined_into")) is not None:
            number = into
        return number

    def joined(self, number: int) -> set[int]:
        """Return this system and all that were merged into it, directly or through others."""
        out = {number}
        while (
            more := {row["id"] for row in self.rows.values() if row.get("joined_into") in out} - out
        ):
            out |= more
        return out

    def counts_as(self, equipment: EquipmentRow) -> EquipmentRow | None:
        """Return the fields of the system that this one was merged into, or None if it was not
        merged.
        """
        number = self._known(equipment)
        if number is None or self.rows[number].get("joined_into") is None:
            return None
        root = self.rows[self.root(number)]
        return cast(
            "EquipmentRow", {name: value for name, value in root.items() if name in EQUIPMENT_KEY}
        )

    def user_defined_modality(self, equipment: EquipmentRow) -> str | None:
        """Return the modality that a user set for this system: RF, DX or dual."""
        number = self._known(equipment)
        return None if number is None else self.rows[self.root(number)].get("user_defined_modality")

    def _known(self, equipment: EquipmentRow) -> int | None:
        """Return the number of its row, or of the row without its gantry.

        Older versions, which did not read the gantry, stored the same system as the latter.
        """
        number = self.find(equipment)
        return number if number is not None else self.find(equipment | {"gantry_id": None})

    def with_values(self, numbers: set[int], **values: Any) -> "Systems":
        """Return a copy with these values set in these rows."""
        return Systems(
            [
                cast("EquipmentRow", row | values) if row["id"] in numbers else row
                for row in self.rows.values()
            ]
        )

    def without(self, numbers: set[int]) -> "Systems":
        """Return a copy without these rows."""
        return Systems([row for row in self.rows.values() if row["id"] not in numbers])


def display_name(equipment: EquipmentRow) -> str:
    """Return the name of a system until someone names it.

    It is "hospital station", or whatever else is known of the system.
    """
    named = [equipment.get("institution_name"), equipment.get("station_name")]
    described = [equipment.get("manufacturer"), equipment.get("manufacturer_model_name")]
    for parts in (named if equipment.get("station_name") else [named[0], *described], described):
        words = " ".join(part for part in parts if part)
        if words:
            return words
    return "(not named)"


def _key(equipment: Mapping[str, Any]) -> Key:
    return tuple(equipment.get(name) for name in EQUIPMENT_KEY)
