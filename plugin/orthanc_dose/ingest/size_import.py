"""The task that puts heights and weights from a file into the records."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import BinaryIO

import duckdb
import pyarrow as pa

from ..records import TASK_LOG
from ..sizes import files, matching, table
from ..store import Batch, Writer, sizes
from ..store.tasks import Task
from ..work.task import Failed, Job

# Rows per step, so that it takes a second at most.
READ, PUT_IN = 50_000, 50_000


class SizeImport(Job):
    """Import a file of heights and weights; done and total count rows of the file.

    result: by outcome (sizes/matching.py), the number of lines of the log that have it.

    First the whole file is read, since its lines may contradict each other; then its rows are put
    in chunk by chunk. What is known of the file is in temporary tables, so after a restart it is
    re-read.
    """

    kind = files.KIND

    def __init__(self, task: Task, uploads: files.SizeFiles, key: bytes) -> None:
        super().__init__(task)
        self._task_id: int = task["id"]
        self._uploads = uploads
        self._key = key
        self._number = int(self.parameters["file"])
        self._dry_run = bool(self.parameters["dry_run"])
        names = (
            "identifier",
            "height",
            "weight",
            "kind",
            "height_unit",
            "weight_unit",
            "overwrite",
        )
        self._choice = matching.Choice(**{name: self.parameters[name] for name in names})
        self._reader = matching.Reader(self._choice)
        self._file: BinaryIO | None = None
        self._rows: Iterator[table.Row] | None = None
        self._read = 0  # number of rows
        self._all_read = False
        self.result = dict.fromkeys(matching.OUTCOMES, 0) | self.result

    def step(self, writer: Writer) -> Batch | None:
        if not self._all_read:
            self._read_some(writer.connection)
            return Batch()
        if self.done >= self._read:
            return None
        upto = min(self.done + PUT_IN, self._read)
        batch = self._put_in(writer.connection, self.done, upto)
        self.done = upto
        return batch

    def end(self) -> None:
        if self._file is not None:
            self._file.close()
        if not self._dry_run:
            with suppress(OSError):  # the sweep tries again
                self._uploads.remove(self._number)

    def _read_some(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self._rows is None:
            upload = self._uploads.get(self._number)
            if upload is None:
                raise Failed("The file no longer exists: upload it again.")
            self._file = upload.path.open("rb")
            self._rows = table.rows(self._file, upload.dialect)
            for name, schema in (("size_line", matching.SCHEMA), ("size_match", matching.MATCH)):
                _into(
                    connection,
                    f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM new_rows",
                    schema.empty_table(),
                )
        some = list(islice(self._rows, READ))
        lines, identifiers = self._reader.lines(self._read + 1, some)
        self._read += len(some)
        _into(connection, "INSERT INTO size_line SELECT * FROM new_rows", lines)
        found = matching.match(connection, identifiers, self._choice.kind, self._key)
        _into(connection, "INSERT INTO size_match SELECT * FROM new_rows", found)
        if len(some) < READ:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE size_study AS {matching.STUDIES}")
            self._all_read = True
            self.total = self._read

    def _put_in(self, connection: duckdb.DuckDBPyConnection, after: int, upto: int) -> Batch:
        matching.decide(connection, "size_decided", after, upto, self._choice.overwrite)
        counts = connection.execute(
            "SELECT outcome, count(*) FROM size_decided GROUP BY ALL"
        ).fetchall()
        for outcome, count in counts:
            self.result[outcome] += count

        def write(connection: duckdb.DuckDBPyConnection) -> None:
            if not self._dry_run:
                sizes.keep(connection, "size_decided", self._task_id)
            connection.execute(
                f"INSERT INTO {TASK_LOG.name} BY NAME SELECT $1 AS task_id, line, outcome, "
                f"study_id, message FROM size_decided",
                [self._task_id],
            )

        return Batch(more=write)


def _into(connection: duckdb.DuckDBPyConnection, statement: str, rows: pa.Table) -> None:
    connection.register("new_rows", rows)
    connection.execute(statement)
    connection.unregister("new_rows")
