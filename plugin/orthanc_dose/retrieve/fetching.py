"""Fetching what a search chose, as a task that goes on after a restart: moves by Orthanc's jobs, a few at a time, tried again
with growing pauses, and at the end held against what the store has."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..export.background import Background, Failed, Run, Stopped
from ..records import FETCHING, FOUND
from ..store import Store, tasks
from ..store.database import rows
from .answers import Image
from .node import UNKNOWN, Node, NotThere, Standstill
from .nodes import Nodes, NoNode
from .search import NodeError

KIND = "retrieval"
_LONGER = (1, 4, 12)  # times the first pause: before each time that a move is tried again
_LOOK_S = 0.25  # from one look at the jobs to the next, unless one is said to have ended
_NOTED_S = 2.0  # from one note of what became of series to the next
_PATIENCE_S = 60.0  # for the worker to read what came
IMPORTED = ("imported", "merged", "duplicate")
assert set(FETCHING) == {"moving", "moved", "failed"}


@dataclass
class _Move:
    """A series, or some of its objects. line: of FOUND that it is for; listed: its objects, as far as the node lists them."""

    line: int
    study: str
    series: str
    images: list[str] | None
    listed: list[str] | None
    size: int | None
    tries: int = 0
    not_before: float = 0.0
    query: str = ""
    job: str = ""

    @property
    def level(self) -> str:
        return "Series" if self.images is None else "Instance"

    @property
    def keys(self) -> dict[str, str]:
        keys = {"StudyInstanceUID": self.study, "SeriesInstanceUID": self.series}
        return keys if self.images is None else keys | {"SOPInstanceUID": "\\".join(self.images)}

    @property
    def objects(self) -> int:
        """As far as it is known; one at least."""
        return len(self.images) if self.images is not None else self.size or 1


@dataclass
class _Work:
    waiting: list[_Move]
    asked: list[_Move] = field(default_factory=list)  # so that a move begins as soon as another ends
    running: list[_Move] = field(default_factory=list)
    done: int = 0
    total: int = 0
    tries: int = 0  # of the node, while nothing can be fetched from it
    not_before: float = 0.0
    notes: dict[int, tuple[str, str | None]] = field(default_factory=dict)  # by line: state and fault, not yet written
    noted_at: float = 0.0


class UnderWay(Exception):
    """What the search found is fetched already."""


class Fetching:
    """Starts retrievals, and goes on with those that a restart broke off. May be used from any thread."""

    def __init__(
        self, store: Store, background: Background, nodes: Nodes, at_once: Callable[[], int], pause: Callable[[], float],
        is_read: Callable[[], bool],
    ) -> None:  # fmt: skip
        """at_once: how many moves may run; pause: seconds before a move is tried again for the first time; is_read: whether all
        that came is read, and asks for it to be."""
        self._store, self._background, self._nodes = store, background, nodes
        self._at_once, self._pause, self._is_read = at_once, pause, is_read
        self._looks: set[threading.Event] = set()
        self._starting = threading.Lock()

    def start(self, user: str, search: int, node: str) -> int:
        """Begin to fetch what a search on a node chose, and once more what failed before or did not come; the task's number.
        Raises NoNode, UnderWay."""
        self._nodes.one(node)
        with self._starting:
            if self._is_under_way(search):
                raise UnderWay
            with self._store.writing() as connection:
                query = f"""
                    UPDATE "{FOUND.name}" SET state = NULL, fault = NULL, asked_for = NULL, arrived = NULL, imported = NULL
                    WHERE task_id = $1 AND chosen AND (state = 'failed' OR arrived < asked_for)
                """
                connection.execute(query, [search])
            parameters = {"search": search, "node": node}
            return self._background.start(KIND, user, node, parameters, partial(self._work, search, node))

    def _is_under_way(self, search: int) -> bool:
        with self._store.reading() as connection:
            going_on = tasks.of_states(connection, ("waiting", "running"))
        return any(task["kind"] == KIND and task["parameters"]["search"] == search for task in going_on)

    def resume(self) -> None:
        """Go on with those that the end of the server broke off."""
        self._background.resume(lambda task: partial(self._work, task["parameters"]["search"], task["parameters"]["node"]))

    def look(self) -> None:
        """One of Orthanc's jobs has ended. Returns at once."""
        for wanted in tuple(self._looks):
            wanted.set()

    def _work(self, search: int, name: str, run: Run) -> dict[str, Any]:
        try:
            told, node = self._nodes.one(name), self._nodes.node(name)
        except NoNode:  # removed while the server was down
            raise Failed(UNKNOWN) from None
        work = _Work([_Move(*row) for row in self._chosen(search)])
        work.total = sum(move.objects for move in work.waiting)
        wanted = threading.Event()
        self._looks.add(wanted)
        try:
            while work.waiting or work.asked or work.running:
                wanted.clear()
                self._end(node, work)
                self._begin(node, told["destination"], work)
                run.progress(work.done, work.total)
                self._write_notes(search, work)
                if not self._ask(node, search, work):
                    wanted.wait(_LOOK_S)
        except Stopped:
            for move in work.running:
                node.cancel(move.job)
            raise
        finally:
            self._looks.discard(wanted)
            self._write_notes(search, work, at_last=True)
        run.note(run.number, done=work.done, total=work.total)
        self._await_worker(run)
        return self._compare(search)

    def _chosen(self, search: int) -> list[tuple[Any, ...]]:
        """What is not done with: a move that was under way when the server ended is begun again."""
        query = f"""
            SELECT line, study_instance_uid, series_instance_uid, images, listed, size FROM "{FOUND.name}"
            WHERE task_id = $1 AND chosen AND coalesce(state, 'moving') = 'moving' ORDER BY line
        """
        with self._store.reading() as connection:
            return connection.execute(query, [search]).fetchall()

    def _ask(self, node: Node, search: int, work: _Work) -> bool:
        """Ask the node for the next that is to be moved; False where nothing can be asked for now."""
        if len(work.asked) >= self._at_once() or work.not_before > time.monotonic():
            return False
        move = next((one for one in work.waiting if one.not_before <= time.monotonic()), None)
        if move is None:
            return False
        work.waiting.remove(move)
        self._list(node, search, move)
        try:
            move.query = node.ask(move.level, move.keys)
        except NodeError as error:
            self._failed(move, error, work)
        else:
            work.asked.append(move)
        return True

    def _begin(self, node: Node, destination: str, work: _Work) -> None:
        while work.asked and len(work.running) < self._at_once():
            move = work.asked.pop(0)
            try:
                move.job = node.move(move.query, destination)
            except NodeError as error:
                self._failed(move, error, work)
                continue
            work.running.append(move)
            work.notes[move.line] = ("moving", None)

    def _list(self, node: Node, search: int, move: _Move) -> None:
        """Learn which objects a series has, to know afterwards whether all of them came."""
        if move.images is not None or move.listed is not None:
            return
        try:
            answers = node.find("Instance", move.keys | {"SOPInstanceUID": ""})
        except NodeError:  # it does not know this level, or the move will say what is wrong
            answers = []
        move.listed = [image.sop_instance_uid for image in map(Image.of, answers) if image is not None]
        if move.listed:
            with self._store.writing() as connection:
                query = f'UPDATE "{FOUND.name}" SET listed = $1 WHERE task_id = $2 AND line = $3'
                connection.execute(query, [move.listed, search, move.line])

    def _end(self, node: Node, work: _Work) -> None:
        for move in list(work.running):
            try:
                if not node.moved(move.job):
                    continue
            except NodeError as error:
                work.running.remove(move)
                self._failed(move, error, work)
                continue
            work.running.remove(move)
            work.tries = 0
            work.done += move.objects
            work.notes[move.line] = ("moved", None)

    def _failed(self, move: _Move, error: NodeError, work: _Work) -> None:
        work.notes[move.line] = ("moving", str(error))
        if isinstance(error, Standstill):
            self._stand_still(move, error, work)
            return
        work.tries = 0
        move.tries += 1
        if move.tries > len(_LONGER) or isinstance(error, NotThere):
            _give_up([move], error, work)
        else:
            move.not_before = self._after(move.tries)
            work.waiting.append(move)

    def _stand_still(self, move: _Move, error: NodeError, work: _Work) -> None:
        """All moves wait together, and in the end all are given up: each by itself might take days."""
        work.waiting, work.asked = [move, *work.asked, *work.waiting], []
        if work.not_before > time.monotonic():  # another move met with the same
            return
        work.tries += 1
        if work.tries > len(_LONGER):
            _give_up(work.waiting, error, work)
            work.waiting = []
        else:
            work.not_before = self._after(work.tries)

    def _after(self, tries: int) -> float:
        return time.monotonic() + self._pause() * _LONGER[tries - 1]

    def _write_notes(self, search: int, work: _Work, at_last: bool = False) -> None:
        """Now and then: what a kill loses of them is fetched once more, which changes nothing."""
        now = time.monotonic()
        if not work.notes or (now - work.noted_at < _NOTED_S and not at_last):
            return
        with self._store.writing() as connection:
            query = f"""
                UPDATE "{FOUND.name}" SET state = note.state, fault = note.fault
                FROM (SELECT unnest($2::BIGINT[]) AS line, unnest($3::VARCHAR[]) AS state, unnest($4::VARCHAR[]) AS fault) note
                WHERE task_id = $1 AND "{FOUND.name}".line = note.line
            """
            connection.execute(query, [search, list(work.notes), *map(list, zip(*work.notes.values(), strict=True))])
        work.notes, work.noted_at = {}, now

    def _await_worker(self, run: Run) -> None:
        """Wait until what came is read."""
        end = time.monotonic() + _PATIENCE_S
        while not self._is_read() and time.monotonic() < end:
            if run.stopping.wait(_LOOK_S / 5):
                raise Stopped

    def _compare(self, search: int) -> dict[str, Any]:
        """Hold what was fetched against what the store has of it, and sum it up. Of a series of which nobody knows the objects,
        arrived and imported stay empty."""
        imported = ", ".join(f"'{one}'" for one in IMPORTED)
        with self._store.writing() as connection:
            query = f"""
                WITH wanted AS (
                    SELECT line, study_instance_uid, size, unnest(CASE WHEN len(images) > 0 THEN images WHEN len(listed) > 0
                        THEN listed ELSE [NULL] END) AS uid
                    FROM "{FOUND.name}" WHERE task_id = $1 AND chosen
                ), counted AS (
                    SELECT line, any_value(wanted.size) AS size, count(DISTINCT uid) AS wanted,
                        count(DISTINCT object.sop_instance_uid) AS arrived,
                        count(DISTINCT object.sop_instance_uid) FILTER (outcome IN ({imported})) AS imported
                    FROM wanted LEFT JOIN object
                        ON object.study_instance_uid = wanted.study_instance_uid AND object.sop_instance_uid = wanted.uid
                    GROUP BY line
                )
                UPDATE "{FOUND.name}" SET
                    asked_for = CASE WHEN counted.wanted > 0 THEN counted.wanted ELSE counted.size END,
                    arrived = CASE WHEN counted.wanted > 0 THEN counted.arrived END,
                    imported = CASE WHEN counted.wanted > 0 THEN counted.imported END
                FROM counted WHERE task_id = $1 AND "{FOUND.name}".line = counted.line
            """
            connection.execute(query, [search])
            query = f"""
                SELECT count(*) AS series, count(*) FILTER (state = 'failed') AS failed,
                    coalesce(sum(asked_for), 0)::BIGINT AS asked_for, coalesce(sum(arrived), 0)::BIGINT AS arrived,
                    coalesce(sum(imported), 0)::BIGINT AS imported, coalesce(sum(asked_for - arrived), 0)::BIGINT AS missing
                FROM "{FOUND.name}" WHERE task_id = $1 AND chosen
            """
            [summary] = rows(connection.execute(query, [search]))
        return summary


def _give_up(moves: list[_Move], error: NodeError, work: _Work) -> None:
    work.notes |= {move.line: ("failed", str(error)) for move in moves}
    work.done += sum(move.objects for move in moves)
