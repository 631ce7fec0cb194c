"""The tables of a store as Parquet files: writing them from one state of the store, comparing what
was written with it, and reading them into a new store.

A table is streamed through Arrow and never held in memory as a whole. Its rows keep their order,
on which the order of a study's rows depends (store/places.py).
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ..store.database import quoted

_ROWS = 20_000  # of a part of a file, which is held in memory
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Table:
    """A table in a backup.

    rows: their number. total: the exclusive or of the hashes of its rows, by which DuckDB compares
    two copies regardless of their order. columns: names and SQL types.
    """

    name: str
    rows: int
    total: int
    columns: tuple[tuple[str, str], ...]

    @property
    def file(self) -> str:
        """The path of its file in the backup."""
        return f"tables/{self.name}.parquet"

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest says of the table."""
        return {"rows": self.rows, "hash": str(self.total), "columns": [*map(list, self.columns)]}

    @classmethod
    def from_dict(cls, name: str, told: dict[str, Any]) -> "Table":
        """Return the table that a manifest describes."""
        columns = tuple((str(column), str(type_)) for column, type_ in told["columns"])
        return cls(name, int(told["rows"]), int(told["hash"]), columns)


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    """Return all tables of a store as the transaction of the connection sees them."""
    query = """
        SELECT table_name, list([column_name, data_type] ORDER BY column_index)
        FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)
        WHERE database_name = current_database() GROUP BY table_name ORDER BY table_name
    """
    found = connection.execute(query).fetchall()
    return [
        Table(name, *counted(connection, _quoted(name)), tuple((one, of) for one, of in columns))
        for name, columns in found
    ]


def counted(connection: duckdb.DuckDBPyConnection, source: str) -> tuple[int, int]:
    """Return the number of rows of a source of rows, and their total (Table). Reads every value."""
    query = f"SELECT count(*), coalesce(bit_xor(hash(row_)), 0) FROM {source} row_"
    rows, total = connection.execute(query).fetchone() or (0, 0)
    return rows, total


def write_table(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, progress: Progress
) -> None:
    """Write a table to a file that only its owner can read. progress: told numbers of rows."""
    names = ", ".join(_quoted(name) for name, _ in table.columns)
    reader = connection.execute(f"SELECT {names} FROM {_quoted(table.name)}").to_arrow_reader(_ROWS)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(number, "wb") as file:
        with pq.ParquetWriter(file, reader.schema, compression="zstd") as out:
            for batch in reader:
                out.write_batch(batch)
                progress(batch.num_rows)
        file.flush()
        os.fsync(file.fileno())
        # What is verified is what lies on the disk, not what is still in memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection to a DuckDB of its own that may read this folder, and nothing else."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )
    connection.execute(f"SET allowed_directories = [{quoted(folder)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def differing(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Iterable[Table],
    progress: Progress,
) -> list[str]:
    """Return the names of the tables whose files do not hold the rows that were counted."""
    wrong = []
    for table in tables:
        if counted(connection, source(folder, table)) != (table.rows, table.total):
            wrong.append(table.name)
        progress(table.rows)
    return wrong


def create_table(connection: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> None:
    """Create a table with the rows of its file, which the connection must be allowed to read."""
    columns = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in table.columns)
    connection.execute(f"CREATE TABLE {_quoted(table.name)} ({columns})")
    connection.execute(
        f"INSERT INTO {_quoted(table.name)} BY NAME SELECT * FROM {source(folder, table)}"
    )


def source(folder: Path, table: Table) -> str:
    """Return the rows of a table's file in a backup, as a part of a statement."""
    return f"read_parquet({quoted(folder / table.file)})"


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
