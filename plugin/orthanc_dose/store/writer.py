"""Writing of studies, objects and the cursor: each batch in one transaction, through Arrow."""

import contextlib
import ctypes
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import duckdb
import pyarrow as pa

from ..assemble import Record
from ..dicom.sop_classes import KEY_OBJECT_SELECTION
from ..extract import Rejection
from ..records import (
    EQUIPMENT,
    EVENT_UID,
    INDEXES,
    KEPT_WITH_STUDY,
    MODALITIES,
    OBJECT,
    REJECTED_OBJECT,
    STUDY,
    STUDY_CHANGE,
    STUDY_TABLES,
    TASK_LOG,
    TERM,
    TERM_NAME,
)
from ..records.rows import EquipmentRow, ObjectRow, StudyChangeRow, TaskLogRow, TermRow
from . import feed, sharing, sizes, state, tasks
from .database import Store, rows, rows_of, texts
from .index import Day, Tables, Terms, count_days, forget_unused_terms
from .joins import SEVERAL
from .marks import WRITER
from .names import StandardNames
from .numbers import CHANGES, STUDIES, SYSTEMS, Numbers
from .places import PLACE
from .schema import OLD_BYTES, arrow_schema
from .systems import Systems

_WRITTEN = (
    STUDY,
    STUDY_CHANGE,
    EQUIPMENT,
    OBJECT,
    TASK_LOG,
    TERM,
    TERM_NAME,
    *STUDY_TABLES,
    *INDEXES,
    EVENT_UID,
    REJECTED_OBJECT,
)
_SCHEMAS = {table.name: arrow_schema(table) for table in _WRITTEN}
_OF_EVENTS = {one.events.name for one in MODALITIES.values()}
_INSERTED = 2_000  # rows in one statement


def give_back_memory() -> None:
    """Return what was freed to the system, which glibc otherwise keeps for this process."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def is_note(row: ObjectRow) -> bool:
    """Return whether an object may be a rejection note."""
    return row.get("sop_class_uid") == KEY_OBJECT_SELECTION


class RowKey(NamedTuple):
    """Identifies a row of a study: position counts the study's rows in the table."""

    table: str
    study_id: int
    position: int


@dataclass
class Batch:
    """The content of one transaction.

    objects: rows of the table of objects, each replacing the row with the same handle. studies: all
    records of each study, by Study Instance UID, replacing the existing ones. rejections: what the
    rejection notes among the objects reject, by handle; a note that is not listed rejects nothing.
    state: names and
    values to remember, including the cursor. task: the row of the task that the batch belongs to;
    log: rows of its log. more: further statements in the same transaction, which are executed
    first. is_spent: rows of events are emptied once they are inserted, since nobody writes this
    batch again; of a large report, they and the store's copy do not fit into memory together.
    systems, names: the systems and standard names that the writer uses from then on, if the
    batch changes them.
    """

    objects: list[ObjectRow] = field(default_factory=list)
    studies: dict[str, list[Record]] = field(default_factory=dict)
    rejections: dict[str, Rejection] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    task: tasks.Task | None = None
    log: list[TaskLogRow] = field(default_factory=list)
    more: Callable[[duckdb.DuckDBPyConnection], object] | None = None
    is_spent: bool = False
    systems: Systems | None = None
    names: StandardNames | None = None


class Writer:
    """The only writer of dose records.

    It reads what it knows of the store (next numbers, systems) when it is created.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection = store.connection()
        self._forgot_shared = False
        self._load()

    def _load(self) -> None:
        self.systems = Systems.read_systems(self._connection)
        self.names = StandardNames.read_map(self._connection)
        self._numbers = Numbers(self._connection)
        self._terms = Terms(self._connection, self._numbers)
        # Most installations have no rejection notes, and need no queries for them.
        found = self._connection.execute("SELECT count(*) FROM rejected_object").fetchone()
        self.has_rejections = bool(found and found[0])

    def close(self) -> None:
        with contextlib.suppress(duckdb.Error):
            self._connection.close()

    def recover(self) -> None:
        """Recover from a failed commit: forget what was not written, and reopen the store.

        Raises StoreError.
        """
        self.close()
        self._store.reopen()
        self._connection = self._store.connection()
        self._load()

    def renew(self) -> None:
        """Rewrite the store's file (Store.renew). Raises NotRenewed."""
        self.close()
        try:
            self._store.renew()
        finally:
            self._connection = self._store.connection()
            self._load()
        state.delete_state(self._connection, OLD_BYTES)

    def forget_unused_terms(self) -> None:
        """Forget texts of the indexes that no study has any more, in a transaction of its own."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            forget_unused_terms(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._terms = Terms(self._connection, self._numbers)

    def handle(self, identifier: str) -> str:
        """Return the handle by which the store knows the object with this identifier in Orthanc."""
        return self._store.handle(identifier)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection for reading on the writer's thread."""
        return self._connection

    def state(self, name: str) -> str | None:
        """Return a remembered value, or None."""
        return state.read_state(self._connection, name)

    def known_objects(self, handles: list[str], sop_instance_uids: list[str]) -> list[ObjectRow]:
        """Return the rows of objects with one of these identifiers, without their content."""
        names = ", ".join(name for name in OBJECT.names if name != "content")
        query = f"""
            SELECT {names} FROM object
            WHERE handle IN (SELECT text FROM ids) OR sop_instance_uid IN (SELECT text FROM
            uids)
        """
        with (
            texts(self._connection, "ids", handles),
            texts(self._connection, "uids", sop_instance_uids),
        ):
            return rows_of(self._connection.execute(query), ObjectRow)

    def content_of(self, handle: str) -> ObjectRow | None:
        """Return the row of an object with its content; None if no content is kept."""
        query = "SELECT * FROM object WHERE handle = ? AND content IS NOT NULL"
        return next(iter(rows_of(self._connection.execute(query, [handle]), ObjectRow)), None)

    def objects_of_studies(
        self, study_instance_uids: list[str], failed_too: bool = False
    ) -> list[ObjectRow]:
        """Return the rows of the objects from which the records of these studies were made.

        The rows include the content. failed_too: include objects that could not be read but whose
        content was kept.
        """
        query = f"""
            SELECT * FROM object WHERE study_instance_uid IN (SELECT text FROM uids) AND content IS
            NOT NULL
            AND outcome IN ('imported', 'merged', 'duplicate'{", 'failed'" if failed_too else ""})
        """
        with texts(self._connection, "uids", study_instance_uids):
            return rows_of(self._connection.execute(query), ObjectRow)

    def series_read(self, series: set[str]) -> dict[str, str]:
        """Return those of these series of which an image was read, with that image's handle.

        Series are given by their handles.
        """
        if not series:
            return {}
        query = """
            SELECT series_handle, min(handle) FROM object WHERE series_handle IN (SELECT
            text FROM series)
            AND outcome IN ('imported', 'merged', 'duplicate') GROUP BY 1
        """
        with texts(self._connection, "series", sorted(series)):
            return dict(self._connection.execute(query).fetchall())

    def one_of_each_series(self, rule: str) -> list[ObjectRow]:
        """Return one object per series that this rule ignored: its handle and SOP Instance UID."""
        query = """
            SELECT min(handle) AS handle, arg_min(sop_instance_uid, handle) AS sop_instance_uid
            FROM object WHERE rule = ? GROUP BY series_handle
        """
        return rows_of(self._connection.execute(query, [rule]), ObjectRow)

    def known(self, handles: list[str]) -> set[str]:
        """Return those of these handles for which the store has objects."""
        query = "SELECT handle FROM object WHERE handle IN (SELECT text FROM handles)"
        with texts(self._connection, "handles", handles):
            return {row[0] for row in self._connection.execute(query).fetchall()}

    def left_alone_by(self, *rules: str) -> list[str]:
        """Return the handles of the objects whose outcome was decided by one of these rules."""
        query = "SELECT handle FROM object WHERE rule IN (SELECT unnest($1))"
        return [row[0] for row in self._connection.execute(query, [list(rules)]).fetchall()]

    def ignored_for_class(self, sop_class_uids: Iterable[str]) -> list[str]:
        """Return the handles of the objects of these classes that were ignored for their class,
        and not deleted.
        """
        query = (
            "SELECT handle FROM object WHERE sop_class_uid IN (SELECT unnest($1)) AND rule = "
            "'sop_class' AND deleted_at IS NULL"
        )
        found = self._connection.execute(query, [sorted(sop_class_uids)]).fetchall()
        return [row[0] for row in found]

    def let_wait(self, sop_class_uids: Iterable[str], rule: str) -> None:
        """Move the objects of some classes that were ignored for their class to a rule by which
        they wait.
        """
        query = (
            "UPDATE object SET rule = $2 WHERE sop_class_uid IN (SELECT unnest($1)) AND rule = "
            "'sop_class' AND deleted_at IS NULL"
        )
        self._connection.execute(query, [sorted(sop_class_uids), rule])
        self._store.version += 1

    def studies_with_content(self, after: str) -> list[str]:
        """Return the Study Instance UIDs of objects with kept content, sorted, after `after`."""
        query = """
            SELECT DISTINCT study_instance_uid FROM object
            WHERE content IS NOT NULL AND study_instance_uid > $1 ORDER BY 1
        """
        return [row[0] for row in self._connection.execute(query, [after]).fetchall()]

    def contents_of(self, study_instance_uids: list[str]) -> list[ObjectRow]:
        """Return the rows of all objects of these studies whose content is kept.

        Their outcome does not matter. The study "" stands for objects that name no study.
        """
        query = """
            SELECT * FROM object WHERE content IS NOT NULL AND coalesce(study_instance_uid, '') IN
            (SELECT text FROM uids)
        """
        with texts(self._connection, "uids", study_instance_uids):
            return rows_of(self._connection.execute(query), ObjectRow)

    def rows_of_studies(self, study_instance_uids: list[str]) -> dict[RowKey, Mapping[str, object]]:
        """Return what the store holds of these studies.

        The time of writing and the version of the extractor are left out.
        """
        out: dict[RowKey, Mapping[str, object]] = {}
        with texts(self._connection, "uids", study_instance_uids):
            ids = "SELECT id FROM study WHERE study_instance_uid IN (SELECT text FROM uids)"
            queries = {STUDY.name: f"SELECT * FROM study WHERE id IN ({ids})"}
            for table in STUDY_TABLES:
                queries[table.name] = (
                    f'SELECT * FROM "{table.name}" WHERE study_id IN ({ids}) ORDER BY study_id, '
                    f"{PLACE}"
                )
            for name, query in queries.items():
                position: Counter[int] = Counter()
                for row in rows(self._connection.execute(query)):
                    study = row["id" if name == STUDY.name else "study_id"]
                    out[RowKey(name, study, position[study])] = {
                        key: value
                        for key, value in row.items()
                        if key not in ("stored_at", "extractor_version")
                    }
                    position[study] += 1
        return out

    def studies_of_systems(self, equipment_ids: list[int], after: str = "") -> list[str]:
        """Return the Study Instance UIDs of these systems, sorted, after `after`."""
        query = """
            SELECT DISTINCT study_instance_uid FROM study
            WHERE equipment_id IN (SELECT unnest($1)) AND study_instance_uid > $2 ORDER BY 1
        """
        return [
            row[0] for row in self._connection.execute(query, [equipment_ids, after]).fetchall()
        ]

    def commit(self, batch: Batch) -> None:
        """Write the batch in one transaction: all of it or, if an error is raised, nothing."""
        systems, names = self.systems, self.names
        self.systems = (batch.systems or systems).copy()
        self.names = batch.names or names
        self._connection.execute("BEGIN TRANSACTION")
        try:
            changed = self._write(batch)
            self._store.marks.count(self._connection, WRITER)
            self._connection.execute("COMMIT")
            self._store.marks.committed(WRITER)
            self._terms.written()
            self._numbers.written()
            if batch.objects or batch.studies or batch.more is not None:
                self._store.version += 1
        except BaseException:
            self.systems, self.names = systems, names
            self._terms.undo()
            self._numbers.undo()
            with contextlib.suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            raise
        if changed:
            self._store.studies_changed()

    def _write(self, batch: Batch) -> bool:
        """Write a batch, and return whether studies changed with it."""
        changes: dict[int, str] = {}
        unsettled: set[int] = set()
        if batch.more is not None:
            batch.more(self._connection)
            changes = feed.noted(self._connection)
            unsettled = sharing.noted(self._connection)
        now = datetime.now(UTC).replace(tzinfo=None)
        tables: Tables = {name: [] for name in _SCHEMAS}
        study_ids: dict[tuple[str | None, str | None], int] = {}
        touched: set[Day] = set()
        if batch.studies:
            existing = self._forget_studies(list(batch.studies), touched)
            before = {row[0] for found in existing.values() for row in found}
            for uid, records in batch.studies.items():
                numbers = [record.number for record in records]
                for record in records:
                    others = {one for one in numbers if one != record.number}
                    self._add(record, existing.get(uid, []), others, now, tables)
                    for sop in record.outcomes:
                        study_ids[uid, sop] = record.study["id"]
            written = {row["id"] for row in tables[STUDY.name]}
            changes |= dict.fromkeys(before - written, "removed")
            changes |= {study: "changed" if study in before else "made" for study in written}
            unsettled |= sharing.noted(self._connection) if self._forgot_shared else set()
            unsettled |= sharing.with_known_uids(self._connection, tables[EVENT_UID.name])
        for row in batch.objects:
            key = (row.get("study_instance_uid"), row.get("sop_instance_uid"))
            row["study_id"] = study_ids.get(key, row.get("study_id"))
        if batch.objects:
            tables[REJECTED_OBJECT.name] = self._forget_rejections(batch)
            with texts(self._connection, "ids", [row["handle"] for row in batch.objects]):
                self._connection.execute(
                    "DELETE FROM object WHERE handle IN (SELECT text FROM ids)"
                )
            tables[OBJECT.name] += batch.objects
        tables[TASK_LOG.name] += batch.log
        for name, new in tables.items():
            if new:
                self._insert(name, new, batch.is_spent and name in _OF_EVENTS)
        changes = sharing.settle(self._connection, unsettled, touched) | changes
        if changes:
            self._insert(STUDY_CHANGE.name, self._changes(changes, now))
        self._name_terms(cast("list[TermRow]", tables[TERM.name]))
        if batch.studies:
            with texts(self._connection, "written", list(batch.studies)):
                sizes.put_into(self._connection, "written")
        touched |= {
            (row["modality"], row["equipment_id"], row.get("study_date"))
            for row in tables[STUDY.name]
        }
        if touched:
            count_days(self._connection, touched)
        if batch.task is not None:
            tasks.write_task(self._connection, batch.task)
        self._numbers.write_numbers(self._connection)
        for name, value in batch.state.items():
            state.write_state(self._connection, name, value)
        return bool(changes)

    def _forget_rejections(self, batch: Batch) -> list[Mapping[str, Any]]:
        """Delete what the notes of a batch rejected before, and return the rows of what they do."""
        notes = [row["handle"] for row in batch.objects if is_note(row)]
        if notes:
            with texts(self._connection, "notes", notes):
                self._connection.execute(
                    "DELETE FROM rejected_object WHERE handle IN (SELECT text FROM notes)"
                )
            self.has_rejections = True
        return [
            {"handle": handle, "sop_instance_uid": sop, "reason": rejection.reason}
            for handle, rejection in batch.rejections.items()
            for sop in sorted(rejection.objects)
        ]

    def rejections(
        self, sop_instance_uids: list[str], but: Iterable[str] = ()
    ) -> list[tuple[str, str]]:
        """Return which of these objects are rejected, each with a reason. but: notes to ignore."""
        if not self.has_rejections:
            return []
        query = """
            SELECT DISTINCT sop_instance_uid, reason FROM rejected_object
            WHERE sop_instance_uid IN (SELECT text FROM uids)
            AND handle NOT IN (SELECT text FROM others)
        """
        with (
            texts(self._connection, "uids", sop_instance_uids),
            texts(self._connection, "others", list(but)),
        ):
            return self._connection.execute(query).fetchall()

    def rejected_by(self, handles: list[str]) -> set[str]:
        """Return the SOP instance UIDs of the objects that these notes reject."""
        query = (
            "SELECT sop_instance_uid FROM rejected_object WHERE handle IN (SELECT text FROM notes)"
        )
        with texts(self._connection, "notes", handles):
            return {row[0] for row in self._connection.execute(query).fetchall()}

    def _changes(self, changes: dict[int, str], now: datetime) -> list[StudyChangeRow]:
        return [
            {"number": self._numbers.take(CHANGES), "study_id": study, "what": what, "at": now}
            for study, what in changes.items()
        ]

    def _insert(self, name: str, new: Sequence[Mapping[str, Any]], are_spent: bool = False) -> None:
        for first in range(0, len(new), _INSERTED):
            some = new[first : first + _INSERTED]
            self._connection.register("new_rows", pa.Table.from_pylist(some, schema=_SCHEMAS[name]))
            self._connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM new_rows')
            self._connection.unregister("new_rows")
            if are_spent:
                for row in some:
                    cast("dict[str, Any]", row).clear()
                if len(new) > _INSERTED:
                    give_back_memory()

    def _name_terms(self, terms: list[TermRow]) -> None:
        """Write the standard names of new texts."""
        named = [row for term in terms for row in self.names.rows_of(term)]
        if named:
            self._insert(TERM_NAME.name, named)

    def _forget_studies(
        self, uids: list[str], touched: set[Day]
    ) -> dict[str, list[tuple[int, str, int]]]:
        """Delete the rows of these studies, and return what existed.

        Rows are returned by Study Instance UID as (id, modality, equipment_id), so that studies
        keep their numbers. The days of these studies are added to `touched`.
        """
        query = """
            SELECT study_instance_uid, id, modality, equipment_id, study_date, all_marks FROM study
            WHERE study_instance_uid IN (SELECT text FROM uids)
        """
        with texts(self._connection, "uids", uids):
            found = self._connection.execute(query).fetchall()
        existing: dict[str, list[tuple[int, str, int]]] = {}
        for uid, *rest, day, _ in found:
            existing.setdefault(uid, []).append(tuple(rest))
            touched.add((rest[1], rest[2], day))
        ids = [row[1] for row in found]
        shared = [row[1] for row in found if sharing.shares(row[-1])]
        self._forgot_shared = bool(shared)
        if shared:
            sharing.note_partners(self._connection, ", ".join(map(str, shared)))
        if ids:
            self._connection.execute("DELETE FROM study WHERE id IN (SELECT unnest($1))", [ids])
            for table in KEPT_WITH_STUDY:
                self._connection.execute(
                    f'DELETE FROM "{table.name}" WHERE study_id IN (SELECT unnest($1))', [ids]
                )
        return existing

    def _add(
        self,
        record: Record,
        existing: list[tuple[int, str, int]],
        others: set[int | None],
        now: datetime,
        tables: Tables,
    ) -> None:
        """Add the rows of a record. existing: the study's rows in the store that no record has
        taken yet; others: the numbers that other records of the study have."""
        own = self._system(record.equipment, tables)
        equipment_id = self.systems.root(own)
        named = {self._system(equipment, tables) for equipment in record.named} or {own}
        # Reuse the number of the row that this record replaces: the one that its objects had, else
        # one of the same modality and system, else of the same modality.
        same = [row for row in existing if row[1] == record.modality and row[0] not in others]
        row = next(
            (row for row in same if row[0] == record.number),
            next((row for row in same if row[2] == equipment_id), same[0] if same else None),
        )
        if row is not None:
            existing.remove(row)
            study_id = row[0]
        else:
            study_id = self._numbers.take(STUDIES)
        record.study |= {"id": study_id, "equipment_id": equipment_id, "stored_at": now}
        record.study["made_by"] = named.pop() if len(named) == 1 else SEVERAL
        tables[STUDY.name].append(record.study)
        self._terms.add(record.study, tables)
        tables[EVENT_UID.name] += sharing.index_rows(record)
        modality = MODALITIES[record.modality]
        for table, found in (
            (modality.events, record.events),
            (modality.accumulated, record.accumulated),
        ):
            if table is None:
                continue
            for new in found:
                new["study_id"] = study_id
            tables[table.name] += found

    def _system(self, equipment: EquipmentRow, tables: Tables) -> int:
        found = self.systems.find(equipment)
        if found is None:
            new = self.systems.add(equipment, self._numbers.take(SYSTEMS))
            tables[EQUIPMENT.name].append(new)
            found = new["id"]
        return found
