"""Deleting dose records: those of a system, or one. Nothing is deleted from Orthanc.

An object from which a deleted record was made is ignored from then on, and its content forgotten:
it does not return by itself, neither through reconciliation with Orthanc nor when it is sent again. Re-reading it, at
an administrator's request, restores it while Orthanc holds it. An object that did not exist before
is new, and makes a record, of the same study or not.

Records of the same study that were made by other systems remain. An estimate of organ doses, which
may belong to several records, remains with those.
"""

from datetime import UTC, datetime
from typing import Any

import duckdb

from ..records import KEPT_WITH_STUDY
from ..store import Batch, Writer, feed, index, sharing, sizes
from ..store.database import texts
from ..store.disposal import STUDY_DELETED
from ..work.task_interface import Failed, Job
from . import assembly

_REASON = "A user deleted its study. Re-importing it brings it back, as long as Orthanc has it."


def of_one(writer: Writer, study_id: int) -> Batch:
    """Return the batch that deletes one record."""
    return _batch(writer, "id = $1", study_id)


class DeleteStudies(Job):
    """Delete the studies of a system.

    parameters: equipment (number of the system), studies (how many there are), row (whether to
    delete the system, too). Everything is done in one transaction; if there are now more or fewer
    studies, nothing is done. result: deleted (studies), row.
    """

    kind = "delete-studies"

    def do_step(self, writer: Writer) -> Batch | None:
        if self.progress:
            return None
        system, wanted = self.parameters["equipment"], self.parameters["studies"]
        if system not in writer.systems.rows:
            raise Failed("The system no longer exists; nothing was deleted.")
        if writer.systems.root(system) != system:
            raise Failed("The system was merged into another one; nothing was deleted.")
        found = writer.connection.execute(
            "SELECT count(*) FROM study WHERE equipment_id = $1", [system]
        ).fetchone()
        if found != (wanted,):
            raise Failed("The system's number of studies has changed; nothing was deleted.")
        batch = _batch(writer, "equipment_id = $1", system)
        if self.parameters["row"]:
            _with_row(writer, batch, system)
        self.progress, self.done, self.total = {"deleted": True}, wanted, wanted
        self.result = {"deleted": wanted, "row": self.parameters["row"]}
        return batch


def _with_row(writer: Writer, batch: Batch, system: int) -> None:
    """Extend a batch by deleting the row of the system, and those merged into it."""
    rows, studies = writer.systems.joined(system), batch.more
    batch.systems = writer.systems.without(rows)

    def more(connection: duckdb.DuckDBPyConnection) -> None:
        assert studies is not None
        studies(connection)
        connection.execute("DELETE FROM equipment WHERE id IN (SELECT unnest($1))", [sorted(rows)])

    batch.more = more


def _batch(writer: Writer, condition: str, number: int) -> Batch:
    shared = _texts(
        writer,
        f"""
        SELECT DISTINCT study_instance_uid FROM object
        WHERE modality IS NULL AND study_id IN (SELECT id FROM study WHERE {condition})
        AND study_instance_uid IN (SELECT study_instance_uid FROM study WHERE NOT {condition})
    """,
        number,
    )
    batch = Batch()
    if shared:
        # An estimate of organ doses may belong to a record that stays: the study is rebuilt from
        # what is left.
        query = f"""
            SELECT handle FROM object WHERE modality IS NOT NULL AND study_instance_uid IN
            (SELECT text FROM uids)
            AND study_id IN (SELECT id FROM study WHERE {condition})
        """
        with texts(writer.connection, "uids", shared):
            gone = _texts(writer, query, number)
        batch = assembly.again(writer, shared, but=frozenset(gone))
    batch.more = lambda connection: _delete(connection, condition, number)
    return batch


def _delete(connection: duckdb.DuckDBPyConnection, condition: str, number: int) -> None:
    kept = "SELECT id, study_instance_uid, modality, equipment_id, study_date FROM study"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE gone AS {kept} WHERE {condition}", [number])
    days = connection.execute(
        "SELECT DISTINCT modality, equipment_id, study_date FROM gone"
    ).fetchall()
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        """
        UPDATE object SET outcome = 'ignored', rule = $1, reason = $2, processed_at = $3, study_id =
        NULL, content = NULL,
        content_digest = NULL WHERE study_id IN (SELECT id FROM gone)
    """,
        [STUDY_DELETED, _REASON, now],
    )
    sharing.note_partners(connection, "SELECT id FROM gone")
    connection.execute("DELETE FROM study WHERE id IN (SELECT id FROM gone)")
    for table in KEPT_WITH_STUDY:
        connection.execute(f'DELETE FROM "{table.name}" WHERE study_id IN (SELECT id FROM gone)')
    feed.mark_changed(connection, "removed", "SELECT id FROM gone")
    sizes.forget_sizes_without_study(connection, "gone")
    connection.execute("DROP TABLE gone")
    if days:
        index.count_days(connection, set(days))


def _texts(writer: Writer, query: str, number: int) -> list[Any]:
    return [row[0] for row in writer.connection.execute(query, [number]).fetchall()]
