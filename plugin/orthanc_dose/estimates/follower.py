"""Keeps the table `estimate` up to date: a follower of the feed of changed studies.

It works with many studies at once, since an installation may have a million of them when a table, the
map of names or a setting changes: all existing studies are then estimated again.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa

from ..records import (
    CT_EVENT,
    ESTIMATE,
    MODALITIES,
    NM_ADMINISTRATION,
    PROJECTION_EVENT,
    STANDARD_NAME,
)
from ..store.database import rows
from ..store.feed import Change
from ..store.names import StandardNames
from ..store.schema import arrow_schema
from ..work.followers import Follower, Reading, Write
from . import tables
from .own_tables import own_tables
from .study import OFF, Choice, rows_of_study

# The version of the rules: raise it whenever the same study would be estimated differently.
RULES = 2
# Settings with the table for each kind.
SETTINGS = {
    "ct": "effective_dose_ct",
    "nm": "effective_dose_nm",
    "dap": "effective_dose_projection",
}
WEIGHTS = "effective_dose_weights"
NONE, OWN = "none", "own"
_SCHEMA = arrow_schema(ESTIMATE)
# Fields of events that estimates are made from.
_FIELDS = {
    CT_EVENT.name: (
        "acquisition_protocol", "target_region", "ct_acquisition_type", "mean_ctdivol", "ctdiw_phantom_type", "dlp",
        "xray_sources", "size_specific_dose_estimates",
    ),
    NM_ADMINISTRATION.name: ("radiopharmaceutical_agent", "administered_activity"),
    PROJECTION_EVENT.name: ("acquisition_protocol", "dap"),
}  # fmt: skip
_ALWAYS = ("study_id", "event_number", "counted_in", "marks")
_KINDS_OF_STUDY = (
    "requested_procedure_description",
    "performed_procedure_step_description",
    "study_description",
)


class Estimates(Follower):
    """Estimates the studies that changed."""

    name = "estimates"
    chunk = 2000
    gather_s = 1.0

    def basis(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Return a text for rules, settings, tables and, if it matters, the map of names."""
        choice = self._choice(connection)
        parts: list[Any] = [RULES, tables.size_table().version, choice.weights]
        if choice.weights is not None:
            parts += [repr(choice.tables[kind]) for kind in sorted(choice.tables)]
            parts += connection.execute(
                f"SELECT * FROM {STANDARD_NAME.name} ORDER BY position"
            ).fetchall()
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def react_to(self, reading: Reading, changes: Sequence[Change]) -> list[Write | None]:
        """Estimate all of these studies, as they are now."""
        numbers = sorted({change.study_id for change in changes})
        with reading() as connection:
            choice = self._choice(connection)
            names = Names(StandardNames.read_map(connection) if choice.weights else None)
            made = estimates_of(connection, numbers, choice, names)
        return [_writing(numbers, pa.Table.from_pylist(made, schema=_SCHEMA))]

    def _choice(self, connection: duckdb.DuckDBPyConnection) -> Choice:
        return chosen(
            connection, {name: self.setting(name) for name in (WEIGHTS, *SETTINGS.values())}
        )


def chosen(connection: duckdb.DuckDBPyConnection, settings: Mapping[str, str]) -> Choice:
    """Return the tables that the settings choose."""
    if settings[WEIGHTS] == NONE:
        return OFF
    own = own_tables(connection)
    found = {}
    for kind, name in SETTINGS.items():
        key = settings[name]
        table = own.get(kind) if key == OWN else tables.shipped().get(key)
        if table is not None:
            found[kind] = table
    return Choice(settings[WEIGHTS], found)


class Names:
    """The standard names of events: that of the protocol, or else those of the study's texts."""

    def __init__(self, found: StandardNames | None) -> None:
        self._name = lru_cache(maxsize=50_000)(found.name) if found and found.entries else None

    def __call__(self, study: Mapping[str, Any], event: Mapping[str, Any]) -> list[str]:
        if self._name is None:
            return []
        modality = study["modality"]
        protocol = event.get("acquisition_protocol")
        if protocol and (name := self._name("acquisition_protocols", protocol, modality)):
            return [name]
        named = (
            self._name(kind, study[kind], modality) for kind in _KINDS_OF_STUDY if study.get(kind)
        )
        return [name for name in named if name]


def estimates_of(
    connection: duckdb.DuckDBPyConnection, numbers: Sequence[int], choice: Choice, names: Names
) -> list[dict[str, Any]]:
    """Return the rows of the table `estimate` for studies, as far as these exist."""
    listed = f"SELECT unnest([{', '.join(map(str, numbers))}]::BIGINT[])"
    columns = ", ".join(("id", "modality", "patient_age", "marks", *_KINDS_OF_STUDY))
    studies = rows(connection.execute(f"SELECT {columns} FROM study WHERE id IN ({listed})"))
    events: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for table in _tables_needed(studies, choice):
        fields = ", ".join((*_ALWAYS, *_FIELDS[table]))
        query = (
            f'SELECT {fields} FROM "{table}" WHERE study_id IN ({listed}) ORDER BY study_id, '
            "event_number"
        )
        for row in connection.execute(query).to_arrow_table().to_pylist():
            events[row["study_id"]].append(row)
    return [
        row
        for study in studies
        for row in rows_of_study(study, events.get(study["id"], []), choice, names)
    ]


def _tables_needed(studies: Iterable[Mapping[str, Any]], choice: Choice) -> list[str]:
    modalities = {study["modality"] for study in studies}
    needed = {
        MODALITIES[one].events.name
        for one in modalities
        if one == "CT" or choice.table(one) is not None
    }
    return sorted(needed)


def _writing(numbers: Sequence[int], made: pa.Table) -> Write:
    def write(connection: duckdb.DuckDBPyConnection) -> None:
        listed = f"SELECT unnest([{', '.join(map(str, numbers))}]::BIGINT[])"
        connection.execute(f"DELETE FROM {ESTIMATE.name} WHERE study_id IN ({listed})")
        if made.num_rows:
            connection.register("new_estimates", made)
            connection.execute(f"INSERT INTO {ESTIMATE.name} BY NAME SELECT * FROM new_estimates")
            connection.unregister("new_estimates")

    return write
