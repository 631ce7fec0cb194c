"""Files for programs: Parquet, Arrow IPC and JSON Lines, with studies and, for a single modality
type, their events.

Values, names and units are those of the store. The metadata of each field has its title, unit,
concept and description. The two files, joined by study_id, come in a ZIP without compression:
events as a list within the study's row would take fifty times as long.
"""

import base64
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ..query import estimates
from ..records import MODALITIES, STUDY, Field
from ..store.database import quoted
from ..store.schema import arrow_type
from .columns import SYSTEM
from .selection import Progress, Selection

Writer = Callable[[duckdb.DuckDBPyConnection, str, pa.Schema, Path], None]


def write_data_file(
    chosen: Selection, path: Path, kind: str, without: frozenset[str], progress: Progress
) -> None:
    """Write a file, or a ZIP of two if there are events.

    kind: one of KINDS; without: fields of the study to leave out.
    """
    queries = list(_queries(chosen, without))
    if len(queries) == 1:
        KINDS[kind](chosen.connection, *queries[0][1:], path)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
            for number, (name, query, schema) in enumerate(queries):
                part = path.with_name(f"{path.name}.{name}")
                try:
                    KINDS[kind](chosen.connection, query, schema, part)
                    packed.write(part, f"{name}.{kind}")
                finally:
                    part.unlink(missing_ok=True)
                progress((number + 1) * chosen.total // len(queries), chosen.total)
    progress(chosen.total, chosen.total)


def _parquet(
    connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, path: Path
) -> None:
    # Uses DuckDB's own writer; Arrow readers get the fields' metadata from the file's metadata.
    told = base64.b64encode(schema.serialize().to_pybytes()).decode()
    options = f"FORMAT parquet, COMPRESSION zstd, KV_METADATA {{'ARROW:schema': '{told}'}}"
    connection.execute(f"COPY ({query}) TO {quoted(path)} ({options})")


def _json_lines(
    connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, path: Path
) -> None:
    connection.execute(f"COPY ({query}) TO {quoted(path)} (FORMAT json)")


def _arrow(
    connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, path: Path
) -> None:
    with pa.ipc.new_file(str(path), schema) as file:
        for batch in connection.execute(query).fetch_record_batch(10_000):
            file.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))


KINDS: dict[str, Writer] = {"parquet": _parquet, "arrow": _arrow, "jsonl": _json_lines}


def _queries(chosen: Selection, without: frozenset[str]) -> Iterator[tuple[str, str, pa.Schema]]:
    modality = MODALITIES[chosen.modality] if chosen.modality else None
    of_study = [
        field
        for field in (modality.fields if modality else STUDY.fields)
        if field.name not in without
    ]
    columns = [f's."{field.name}"' for field in of_study] + [
        f'e."{field.name}"' for field in SYSTEM
    ]
    estimated = estimates.fields_of(STUDY, chosen.modality)
    columns += [f'{estimates.sql_of_study(field.name)} AS "{field.name}"' for field in estimated]
    schema = pa.schema([_field(field) for field in (*of_study, *SYSTEM, *estimated)])
    # In the order of the table: sorting rows this wide takes several times as long as writing them.
    rows = "study s LEFT JOIN equipment e ON e.id = s.equipment_id"
    yield (
        "studies",
        f"SELECT {', '.join(columns)} FROM {rows} WHERE s.id IN (SELECT id FROM hit)",
        schema,
    )
    if modality is not None:
        table = modality.events
        of_event = estimates.fields_of(table)
        columns = [f't."{field.name}"' for field in table.fields]
        columns += [f'{estimates.sql_of_event(field.name)} AS "{field.name}"' for field in of_event]
        query = (
            f'SELECT {", ".join(columns)} FROM "{table.name}" t WHERE t.study_id IN (SELECT id '
            f"FROM hit)"
        )
        yield "events", query, pa.schema([_field(field) for field in (*table.fields, *of_event)])


def _field(field: Field) -> "pa.Field[Any]":
    told = {
        "title": field.title,
        "unit": field.unit or "",
        "description": field.description,
        "source": field.source,
        "concepts": " ".join("/".join(path) for path in field.paths),
    }
    return pa.field(
        field.name,
        arrow_type(field),
        metadata={name: value for name, value in told.items() if value},
    )
