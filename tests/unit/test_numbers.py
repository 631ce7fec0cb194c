"""Numbers are never given twice, whatever is deleted, rolled back, killed or opened anew."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orthanc_dose.assemble import Outcome, Record
from orthanc_dose.manage import reference_levels
from orthanc_dose.manage.audit_log import AuditLog
from orthanc_dose.records import AUDIT_LOG
from orthanc_dose.store import Batch, Store, Writer, numbers, state, tasks
from orthanc_dose.store.numbers import KINDS, SIZE_FILES, settle_numbers, take_number


class Somebody:
    name, address, way = "somebody", "127.0.0.1", "cookie"


def record(system: str, description: str, uid: str) -> Record:
    study = {"study_description": description, "modality": "DX", "study_instance_uid": uid}
    made = Record("DX", "report", study, {"manufacturer": system}, [], [], [])
    made.outcomes["1.2"] = Outcome("imported")
    return made


class Spoilt(Exception):
    pass


class House:
    """A store with all that gives numbers, and what was seen of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.round = folder, 0
        self.seen: defaultdict[str, dict[int, object]] = defaultdict(dict)
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder)
        self.writer = Writer(self.store)
        self.audit = AuditLog(self.store)

    def close(self) -> None:
        self.writer.close()
        self.store.close()

    def _study(self) -> dict[str, list[Record]]:
        uid, words = f"1.{self.round}", f"n{self.round}"
        return {uid: [record(words, words, uid)]}

    # --- what may happen ---

    def write(self) -> None:
        """A study, of a new system, with a new text."""
        self.round += 1
        self.writer.commit(Batch(studies=self._study()))

    def roll_back(self) -> None:
        self.round += 1

        def spoil(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute("DELETE FROM study")

        batch = Batch(studies=self._study(), more=spoil)
        batch.state["x"] = None  # type: ignore[assignment]
        batch.log = [{"task_id": "no number"}]
        with pytest.raises(Exception):  # noqa: B017  whatever the store says of it
            self.writer.commit(batch)

    def ask(self) -> None:
        """What is not the writer's: a task, an entry of the audit log, a level, a file."""
        self.round += 1
        tasks.create(self.store, "kind", f"user {self.round}")
        self.audit.note(Somebody(), "did", str(self.round))
        reference_levels.add_levels(self.store, [dict.fromkeys(reference_levels._SET, None)])
        with self.store.writing() as connection:
            self._see("file", take_number(connection, SIZE_FILES), object())

    def ask_in_vain(self) -> None:
        with pytest.raises(Spoilt), self.store.writing() as connection:
            for kind in KINDS[4:]:
                take_number(connection, kind)
            raise Spoilt

    def delete_all(self) -> None:
        def delete(connection: duckdb.DuckDBPyConnection) -> None:
            for kind in KINDS:
                if kind.table is not None and kind.table.name != "term":
                    connection.execute(f'DELETE FROM "{kind.table.name}"')
            for table in ("index_study_description", "index_requested_procedure_description"):
                connection.execute(f"DELETE FROM {table}")

        self.writer.commit(
            Batch(more=delete, systems=self.writer.systems.without(set(self.writer.systems.rows)))
        )
        self.writer.forget_unused_terms()

    def delete_highest(self) -> None:
        with self.store.writing() as connection:
            for kind in KINDS:
                if kind.table is not None and kind.table.name in (
                    "task",
                    "audit_log",
                    "reference_level",
                ):
                    name, column = kind.table.name, kind.column
                    connection.execute(
                        f'DELETE FROM "{name}" WHERE "{column}" = (SELECT max("{column}") FROM "{name}")'
                    )

    def open_anew(self) -> None:
        self.close()
        self.open()

    def kill(self) -> None:
        """Go on from the files as they are on the disk at this moment."""
        other = self.folder.with_name(f"{self.folder.name}x")
        shutil.copytree(self.folder, other)
        self.close()
        self.folder = other
        self.open()

    def renew(self) -> None:
        self.writer.renew()

    # --- what must hold ---

    def look(self) -> None:
        with self.store.reading() as connection:
            for table, number, told in (
                ("study", "id", "study_instance_uid"),
                ("equipment", "id", "manufacturer"),
                ("term", "id", "value"),
                ("task", "id", "user_name"),
                ("audit_log", "number", "subject"),
            ):
                for key, what in connection.execute(
                    f"SELECT {number}, {told} FROM {table}"
                ).fetchall():
                    self._see(table, key, what)
            levels = [
                key for (key,) in connection.execute("SELECT id FROM reference_level").fetchall()
            ]
        assert len(levels) == len(set(levels))

    def _see(self, kind: str, number: int, what: object) -> None:
        before = self.seen[kind].setdefault(number, what)
        assert before == what, f"{kind} {number} was given twice"


ACTIONS: dict[str, Callable[[House], None]] = {
    name: getattr(House, name)
    for name in ("write", "roll_back", "ask", "ask_in_vain", "delete_all", "delete_highest", "open_anew", "kill", "renew")
}  # fmt: skip


@settings(
    max_examples=6,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(st.sampled_from(sorted(ACTIONS)), min_size=3, max_size=12))
def test_no_number_is_given_twice(actions: list[str]) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "d").mkdir()
        house = House(Path(folder) / "d")
        for action in ("write", "ask", *actions, "write", "ask"):
            ACTIONS[action](house)
            house.look()
        house.close()


def test_the_highest_number_stays_given_when_its_row_is_deleted(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write()
    house.ask()
    house.look()
    house.delete_all()
    house.open_anew()
    house.write()
    house.ask()
    house.look()
    with house.store.reading() as connection:
        for kind in KINDS:
            # Of changes more: each study that is written is one.
            assert numbers.last_number(connection, kind) == 2, kind.name
    house.close()


def test_a_store_that_remembers_no_numbers_goes_on_behind_its_rows(tmp_path: Path) -> None:
    """As of a version that took the largest number of the rows that there are."""
    house = House(tmp_path)
    for _ in range(3):
        house.write()
        house.ask()
    with house.store.writing() as connection:
        for kind in KINDS[:-1]:
            state.delete_state(connection, kind.name)
    house.close()
    # Opened, emptied, opened again, before anything is numbered.
    house.open()
    with house.store.writing() as connection:
        connection.execute(f"DELETE FROM {AUDIT_LOG.name}")
    house.open_anew()
    house.look()
    house.write()
    house.ask()
    house.look()
    with house.store.reading() as connection:
        [number] = connection.execute("SELECT max(number) FROM audit_log").fetchone() or ()
    assert number == 4
    house.close()


def test_opening_a_store_that_knows_its_numbers_writes_nothing(tmp_path: Path) -> None:
    """A store on a full disk can be opened to be read."""
    house = House(tmp_path)
    house.write()
    house.close()
    with duckdb.connect(str(tmp_path / "dose.duckdb")) as connection:
        before = connection.execute("SELECT * FROM state ORDER BY name").fetchall()
        connection.execute("BEGIN TRANSACTION READ ONLY")
        settle_numbers(connection)
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT * FROM state ORDER BY name").fetchall() == before


def test_terms_that_are_forgotten_leave_their_numbers(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write()
    house.delete_all()
    assert house.store.connection().execute("SELECT count(*) FROM term").fetchone() == (0,)
    house.write()
    rows = house.store.connection().execute("SELECT id FROM term").fetchall()
    assert rows == [(2,)]
    house.close()
