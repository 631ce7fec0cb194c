"""Determines what becomes of each row of a file: to which studies it belongs, and what their
records already hold.

Three relations, registered or temporary tables, hold what is known of the file, none of them an
identifier from it: size_line (SCHEMA), size_match (MATCH: the studies of a row), size_study (a
study with its rows). `decide` joins them with the records."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from ..dicom.identity import keyed_hash, plain_hash
from . import values
from .table import Row

KINDS = ("accession-number", "study-uid")
OUTCOMES = {
    "inserted": "a missing height or weight was added",
    "there already": "the record already had the values of the line, or other values that were "
    "kept",
    "overwritten": "an existing height or weight was replaced",
    "no study": "no study has this identifier",
    "bad value": "the line contains no usable value",
    "contradiction": "lines for the same study contain different values; none of them was used",
}

_LINE: dict[str, pa.DataType] = {
    "n": pa.int64(),
    "line": pa.int64(),
    "height": pa.float64(),
    "weight": pa.float64(),
    "problem": pa.string(),
}
_MATCH: dict[str, pa.DataType] = {"n": pa.int64(), "uid": pa.string()}
SCHEMA, MATCH = pa.schema(_LINE), pa.schema(_MATCH)

# Messages about a faulty row. Pages translate them: each message here has its translation there
# (tests/unit/test_size_words.py).
LINE_UNREADABLE = "the line cannot be read: cells or quotes do not match the header"
NO_IDENTIFIER, NO_VALUE = "no identifier", "no height and no weight"
PROBLEMS = {
    (quantity, problem): f"the {quantity} {words}"
    for quantity in values.UNITS
    for problem, words in (
        (values.NO_NUMBER, "is not a number"),
        (values.UNIT_UNKNOWN, "has an unknown unit"),
        (values.UNIT_MISSING, "has no unit"),
        (values.IMPLAUSIBLE, "is implausible"),
    )
}
_STATES = ("inserted", "there already", "overwritten", "other value kept")


@dataclass(frozen=True)
class Choice:
    """A user's choices for an import: the columns by number from 0 (None if there is none), the kind of
    identifier, the units (None: only cells that name theirs), and whether existing values are
    replaced."""

    identifier: int
    height: int | None
    weight: int | None
    kind: str
    height_unit: str | None
    weight_unit: str | None
    overwrite: bool


class Reader:
    """Converts rows of a file to tables."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._known: dict[tuple[str, str], values.Value] = {}  # heights and weights repeat

    def lines(self, first: int, rows: Iterable[Row]) -> tuple[pa.Table, list[tuple[int, str]]]:
        """Return a table of SCHEMA, numbered from `first`, and the identifiers of usable rows."""
        columns: tuple[list[Any], ...] = ([], [], [], [], [])
        identifiers = []
        for n, row in enumerate(rows, first):
            identifier, height, weight, problem = self._line(row.cells)
            for column, value in zip(columns, (n, row.line, height, weight, problem), strict=True):
                column.append(value)
            if identifier and (height is not None or weight is not None):
                identifiers.append((n, identifier))
        return pa.table(list(columns), schema=SCHEMA), identifiers

    def _line(self, cells: list[str] | None) -> tuple[str, float | None, float | None, str | None]:
        if cells is None:
            return "", None, None, LINE_UNREADABLE
        choice = self._choice
        identifier = _cell(cells, choice.identifier)
        if not identifier:
            return "", None, None, NO_IDENTIFIER
        height = self._value(cells, choice.height, "height", choice.height_unit)
        weight = self._value(cells, choice.weight, "weight", choice.weight_unit)
        problems = [
            PROBLEMS[quantity, value.problem]
            for quantity, value in (("height", height), ("weight", weight))
            if value.problem
        ]
        if height.value is None and weight.value is None and not problems:
            problems = [NO_VALUE]
        return identifier, height.value, weight.value, "; ".join(problems) or None

    def _value(
        self, cells: list[str], at: int | None, quantity: str, unit: str | None
    ) -> values.Value:
        text = _cell(cells, at)
        found = self._known.get((quantity, text))
        if found is None:
            if len(self._known) > 100_000:
                self._known.clear()
            found = self._known[quantity, text] = values.read_size(text, quantity, unit)
        return found


def _cell(cells: list[str], at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def match(
    connection: duckdb.DuckDBPyConnection,
    identifiers: list[tuple[int, str]],
    kind: str,
    key: bytes,
) -> pa.Table:
    """Return a table of MATCH. Accession numbers that the store keeps as hashes are matched by the
    hashes of the given identifiers. key: the installation's key for the hashes."""
    # A study with several orders is found by each of its accession numbers.
    of_study = (
        "SELECT study_instance_uid, study_instance_uid AS given FROM study"
        if kind == "study-uid"
        else "SELECT study_instance_uid, accession_number AS given FROM study UNION ALL "
        "SELECT study_instance_uid, unnest(accession_numbers) FROM study"
    )
    keys = list(identifiers)
    if kind == "accession-number":
        hashed = connection.execute("""
            SELECT coalesce(bool_or(starts_with(accession_number, 'hmac-sha256:')), false),
            coalesce(bool_or(starts_with(accession_number, 'sha256:')), false) FROM study
        """).fetchone()
        assert hashed is not None
        if hashed[0]:
            keys += [(n, keyed_hash(key, text)) for n, text in identifiers]
        if hashed[1]:
            keys += [(n, plain_hash(text)) for n, text in identifiers]
    numbers, texts = (
        [n for n, _ in keys],
        [text.encode("utf-8", "replace").decode() for _, text in keys],
    )
    connection.register(
        "size_key",
        pa.table([pa.array(numbers, pa.int64()), pa.array(texts, pa.string())], ["n", "text"]),
    )
    try:
        query = (
            f"SELECT DISTINCT k.n, s.study_instance_uid AS uid FROM size_key k JOIN ({of_study}) s "
            "ON s.given = k.text"
        )
        return connection.execute(query).to_arrow_table().cast(MATCH)
    finally:
        connection.unregister("size_key")


# For each study that has rows: the first row that gives each value, and whether rows give different
# values.
STUDIES = """
    SELECT m.uid, min(l.n) FILTER (l.height IS NOT NULL) AS first_height,
    min(l.n) FILTER (l.weight IS NOT NULL) AS first_weight,
    coalesce(min(l.height) < max(l.height), false) OR coalesce(min(l.weight) < max(l.weight), false)
    AS differ
    FROM size_match m JOIN size_line l ON l.n = m.n GROUP BY m.uid
"""


def _state(value: str, column: str, first: str) -> str:
    return f"""
        CASE WHEN l.{value} IS NULL OR s.id IS NULL THEN NULL WHEN l.n > f.{first} THEN 'there already'
        WHEN s.{column} IS NULL THEN 'inserted' WHEN abs(s.{column} - l.{value}) < 1e-6 THEN 'there already'
        WHEN $overwrite THEN 'overwritten' ELSE 'other value kept' END
    """


DECIDE = f"""
    WITH state AS (
        SELECT l.*, m.uid, s.id AS study_id, f.differ,
        {_state("height", "patient_size", "first_height")} AS height_state,
        {_state("weight", "patient_weight", "first_weight")} AS weight_state
        FROM size_line l LEFT JOIN size_match m ON m.n = l.n LEFT JOIN size_study f ON f.uid = m.uid
        LEFT JOIN study s ON s.study_instance_uid = m.uid
        WHERE l.n > $after AND l.n <= $upto
    )
    SELECT l.n, l.line, l.uid, l.study_id, l.height, l.weight, height_state, weight_state,
    CASE WHEN l.height IS NULL AND l.weight IS NULL THEN 'bad value' WHEN study_id IS NULL THEN
    'no study'
    WHEN differ THEN 'contradiction' WHEN 'overwritten' IN (height_state, weight_state) THEN
    'overwritten'
    WHEN 'inserted' IN (height_state, weight_state) THEN 'inserted' ELSE 'there already' END AS
    outcome,
    nullif(concat_ws('; ', problem, CASE WHEN study_id IS NOT NULL AND NOT differ THEN
    concat_ws('; ',
    'height ' || height_state, 'weight ' || weight_state) END), '') AS message
    FROM state l
"""


def message_parts() -> set[str]:
    """Return all parts of which messages consist, separated by semicolons."""
    states = {f"{quantity} {state}" for quantity in values.UNITS for state in _STATES}
    return states | set(PROBLEMS.values()) | {LINE_UNREADABLE, NO_IDENTIFIER, NO_VALUE}


def match_rows(
    connection: duckdb.DuckDBPyConnection, into: str, after: int, upto: int, overwrite: bool
) -> None:
    """Create the temporary table `into` with the outcome of rows after `after` up to `upto`."""
    # CREATE accepts no parameters.
    bound = {"$overwrite": str(bool(overwrite)), "$after": f"{after:d}", "$upto": f"{upto:d}"}
    query = DECIDE
    for name, value in bound.items():
        query = query.replace(name, value)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {query}")


def preview_rows(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], choice: Choice, key: bytes
) -> list[dict[str, Any]]:
    """Return the outcomes of these rows as if they were the file: one entry per row and record."""
    lines, identifiers = Reader(choice).lines(1, rows)
    connection.register("size_line", lines)
    connection.register("size_match", match(connection, identifiers, choice.kind, key))
    connection.register("size_study", connection.execute(STUDIES).to_arrow_table())
    bound = {"after": 0, "upto": len(rows), "overwrite": choice.overwrite}
    found = connection.execute(f"{DECIDE} ORDER BY n, study_id", bound).to_arrow_table().to_pylist()
    return [
        {
            "line": row["line"],
            "identifier": _cell(rows[row["n"] - 1].cells or [], choice.identifier),
            **{name: row[name] for name in ("height", "weight", "study_id", "outcome", "message")},
        }
        for row in found
    ]
