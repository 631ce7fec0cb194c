"""The results of a statement as JSON values, as CSV, and as Parquet: streamed, with a row limit."""

import base64
import csv
import io
import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from ..cells import BOM, safe

# Bytes of an answer for the page: larger results belong in a file.
LARGEST_ANSWER = 8_000_000
_CHUNK = 1_000
_BATCH = 20_000
_EXACT = 2**53 - 1  # JavaScript cannot represent larger whole numbers
Columns = list[tuple[str, Any]]  # name, DuckDB's type
Progress = Callable[[int], None]  # rows so far; raises to stop
Written = tuple[int, bool]  # rows of a file, and whether there are more than it may have

_WHOLE = frozenset(
    {
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "utinyint",
        "usmallint",
        "uinteger",
        "ubigint",
        "hugeint",
    }
)
_NUMBERS = _WHOLE | {"float", "double", "decimal"}
_NESTED = frozenset({"list", "array", "struct", "map"})
# Types whose values Python can represent; others come as the text that DuckDB writes. These include
# dates and times, since Python's end with the year 9999, and have no "infinity".
_NATIVE = _NUMBERS | {"boolean", "varchar", "blob"}
_WITHIN = _NATIVE | {"date", "time", "timestamp", "enum", "uuid"}
# Types that Parquet has.
_IN_PARQUET = _NATIVE - {"hugeint"} | {
    "date",
    "time",
    "timestamp",
    "timestamp with time zone",
    "enum",
}


def result_columns(connection: duckdb.DuckDBPyConnection, sql: str) -> Columns:
    """Return the names and types of a checked statement's columns, without running it."""
    relation = connection.sql(sql)
    return list(zip(relation.columns, relation.types, strict=True))


def result_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, of: Columns, limit: int
) -> tuple[list[list[Any]], bool]:
    """Return the rows as JSON values, and whether there are more.

    There are at most `limit` rows and LARGEST_ANSWER bytes. Dates and times are ISO 8601. NaN and
    infinity are None. Whole numbers and decimals that a double cannot hold are texts, as are types
    that JSON lacks; bytes are in base64.
    """
    cells = [_for_json(type_, f"c{number}") for number, (_, type_) in enumerate(of)]
    connection.execute(f"SELECT {', '.join(cells)} FROM {_within(sql, of)} LIMIT {limit + 1:d}")
    out: list[list[Any]] = []
    size = 0
    while found := connection.fetchmany(_CHUNK):
        for row in found:
            values = [plain(value) for value in row]
            size += sum(
                len(value)
                if isinstance(value, str)
                else 20
                if not isinstance(value, (list, dict))
                else len(str(value))
                for value in values
            )
            if len(out) == limit or size > LARGEST_ANSWER:
                return out, True
            out.append(values)
    return out, False


def write_csv(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    of: Columns,
    path: Path,
    limit: int,
    told: Progress,
) -> Written:
    """Write CSV (RFC 4180, UTF-8 with a byte order mark), in which no text is a formula.

    DuckDB renders the lines.
    """
    cells = ", ".join(
        f"coalesce({_for_csv(type_, f'c{number}')}, '')" for number, (_, type_) in enumerate(of)
    )
    connection.execute(
        f"SELECT concat_ws(',', {cells}) FROM {_within(sql, of)} LIMIT {limit + 1:d}"
    )
    head = io.StringIO()
    csv.writer(head, lineterminator="\r\n").writerow(name for name, _ in of)
    count = 0
    with open(path, "wb") as file:
        file.write(BOM + head.getvalue().encode("utf-8", "replace"))
        while found := connection.fetchmany(_BATCH):
            kept = found[: limit - count]
            file.write("".join(f"{line}\r\n" for (line,) in kept).encode("utf-8", "replace"))
            count += len(kept)
            told(count)
            if len(kept) < len(found):
                return count, True
    return count, False


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    of: Columns,
    path: Path,
    limit: int,
    told: Progress,
) -> Written:
    """Write Parquet with unchanged values. Columns with duplicate names get a number appended."""
    # Imported here, since that takes longer than most statements take to run.
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = [_for_parquet(type_, f"c{number}") for number, (_, type_) in enumerate(of)]
    connection.execute(f"SELECT {', '.join(cells)} FROM {_within(sql, of)} LIMIT {limit + 1:d}")
    reader = connection.fetch_record_batch(_BATCH)
    schema = pa.schema(
        [field.with_name(name) for field, name in zip(reader.schema, unique(of), strict=True)]
    )
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for batch in reader:
            kept = batch.slice(0, limit - count)
            file.write_batch(pa.RecordBatch.from_arrays(kept.columns, schema=schema))
            count += len(kept)
            told(count)
            if len(kept) < len(batch):
                return count, True
    return count, False


def unique(of: Columns) -> Iterator[str]:
    """Yield the column names, with a number appended to duplicates."""
    seen: set[str] = set()
    for name, _ in of:
        other, number = name, 1
        while other.lower() in seen:
            number += 1
            other = f"{name}_{number}"
        seen.add(other.lower())
        yield other


def plain(value: Any) -> Any:
    """Return a value as JSON represents it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return str(value)


def _within(sql: str, of: Columns) -> str:
    # On separate lines: the statement may end with a comment.
    names = ", ".join(f"c{number}" for number in range(len(of)))
    return f"(\n{sql.strip().rstrip(';')}\n) AS given({names})"


def _only(type_: Any, allowed: frozenset[str]) -> bool:
    """Return whether a type and all types nested in it are allowed."""
    if type_.id in _NESTED:
        return all(_only(part, allowed) for name, part in type_.children if name != "size")
    return type_.id in allowed


def _for_json(type_: Any, name: str) -> str:
    if type_.id == "timestamp":
        return f"replace(CAST({name} AS VARCHAR), ' ', 'T')"
    native = _WITHIN if type_.id in _NESTED else _NATIVE
    return name if _only(type_, native) else f"CAST({name} AS VARCHAR)"


def _for_csv(type_: Any, name: str) -> str:
    if type_.id in ("float", "double"):
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS VARCHAR) END"
    if type_.id in _NUMBERS or type_.id in ("boolean", "date", "time", "timestamp"):
        return f"CAST({name} AS VARCHAR)"
    if type_.id == "blob":
        return safe(f"base64({name})")
    if type_.id in _NESTED:
        return safe(f"CAST(to_json({name}) AS VARCHAR)")
    return safe(f"CAST({name} AS VARCHAR)")


def _for_parquet(type_: Any, name: str) -> str:
    if type_.id == "hugeint":
        return f"CAST({name} AS DECIMAL(38, 0))"
    return name if _only(type_, _IN_PARQUET) else f"CAST({name} AS VARCHAR)"
