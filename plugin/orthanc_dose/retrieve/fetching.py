"""Fetching what a search chose, as a task that goes on after a restart: moves by Orthanc's jobs, a few at a time, tried again
with growing pauses, and at the end held against what the store has."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..export.background import Background, Run, Stopped
from ..records import FETCHING, FOUND
from ..store import Store, tasks
from ..store.database import rows
from .answers import Image
from .node import Node, NotThere
from .nodes import Nodes
from .search import NodeError

KIND = "retrieval"
PAUSES_S = (5.0, 20.0, 60.0)  # before a move is tried again
_FIRST_S, _LAST_S = 0.01, 0.25  # from one look at the jobs to the next: longer the longer nothing happens
_NOTED_S = 0.5  # from one note of what became of series to the next
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
    running: list[_Move] = field(default_factory=list)
    done: int = 0
    total: int = 0
    notes: dict[int, tuple[str, str | None]] = field(default_factory=dict)  # by line: state and fault, not yet written
    noted_at: float = 0.0


class UnderWay(Exception):
    """What the search found is fetched already."""


class Fetching:
    """Starts retrievals, and goes on with those that a restart broke off. May be used from any thread."""

    def __init__(
        self, store: Store, background: Background, nodes: Nodes, at_once: Callable[[], int], is_idle: Callable[[], bool]
    ) -> None:
        self._store, self._background, self._nodes = store, background, nodes
        self._at_once, self._is_idle = at_once, is_idle
        self._starting = threading.Lock()

    def start(self, user: str, search: int, node: str) -> int:
        """Begin to fetch what a search on a node chose, and what failed before once more; the task's number. Raises NoNode,
        UnderWay."""
        self._nodes.one(node)
        with self._starting:
            if self._is_under_way(search):
                raise UnderWay
            with self._store.writing() as connection:
                query = f'UPDATE "{FOUND.name}" SET state = NULL, fault = NULL WHERE task_id = $1 AND chosen AND state = $2'
                connection.execute(query, [search, "failed"])
            parameters = {"search": search, "node": node}
            return self._background.start(KIND, user, node, parameters, partial(self._work, search, node))

    def _is_under_way(self, search: int) -> bool:
        with self._store.reading() as connection:
            going_on = tasks.of_states(connection, ("waiting", "running"))
        return any(task["kind"] == KIND and task["parameters"]["search"] == search for task in going_on)

    def resume(self) -> None:
        """Go on with those that the end of the server broke off."""
        self._background.resume(lambda task: partial(self._work, task["parameters"]["search"], task["parameters"]["node"]))

    def _work(self, search: int, name: str, run: Run) -> dict[str, Any]:
        told, node = self._nodes.one(name), self._nodes.node(name)
        work = _Work([_Move(*row) for row in self._chosen(search)])
        work.total = sum(move.objects for move in work.waiting)
        pause = _FIRST_S
        try:
            while work.waiting or work.running:
                happened = self._begin(node, told["destination"], search, work) + self._look(node, work)
                run.progress(work.done, work.total)
                self._write_notes(search, work)
                pause = _FIRST_S if happened else min(2 * pause, _LAST_S)
                run.stopping.wait(pause)
        except Stopped:
            for move in work.running:
                node.cancel(move.job)
            raise
        finally:
            self._write_notes(search, work, at_last=True)
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

    def _begin(self, node: Node, destination: str, search: int, work: _Work) -> int:
        """How many were begun, or failed to."""
        begun = 0
        for move in [one for one in work.waiting if one.not_before <= time.monotonic()]:
            if len(work.running) >= self._at_once():
                break
            begun += 1
            work.waiting.remove(move)
            self._list(node, search, move)
            try:
                move.job = node.move(move.level, move.keys, destination)
            except NodeError as error:
                self._failed(move, error, work)
                continue
            work.running.append(move)
            work.notes[move.line] = ("moving", None)
        return begun

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

    def _look(self, node: Node, work: _Work) -> int:
        """How many have ended."""
        before = list(work.running)
        for move in before:
            try:
                if not node.moved(move.job):
                    continue
            except NodeError as error:
                work.running.remove(move)
                self._failed(move, error, work)
                continue
            work.running.remove(move)
            work.done += move.objects
            work.notes[move.line] = ("moved", None)
        return len(before) - len(work.running)

    def _failed(self, move: _Move, error: NodeError, work: _Work) -> None:
        move.tries += 1
        if move.tries > len(PAUSES_S) or isinstance(error, NotThere):
            work.notes[move.line] = ("failed", str(error))
            work.done += move.objects
        else:
            move.not_before = time.monotonic() + PAUSES_S[move.tries - 1]
            work.waiting.append(move)

    def _write_notes(self, search: int, work: _Work, at_last: bool = False) -> None:
        """Now and then: what a kill loses of them is fetched once more, which changes nothing."""
        now = time.monotonic()
        if not work.notes or (now - work.noted_at < _NOTED_S and not at_last):
            return
        with self._store.writing() as connection:
            query = f'UPDATE "{FOUND.name}" SET state = $1, fault = $2 WHERE task_id = $3 AND line = $4'
            connection.executemany(query, [[*note, search, line] for line, note in work.notes.items()])
        work.notes, work.noted_at = {}, now

    def _await_worker(self, run: Run) -> None:
        """Wait until what came is read."""
        end = time.monotonic() + _PATIENCE_S
        while not self._is_idle() and time.monotonic() < end:
            if run.stopping.wait(_LAST_S):
                raise Stopped

    def _compare(self, search: int) -> dict[str, Any]:
        """Hold what was fetched against what the store has of it, and sum it up."""
        with self._store.reading() as connection:
            query = f'SELECT * FROM "{FOUND.name}" WHERE task_id = $1 AND chosen ORDER BY line'
            lines = rows(connection.execute(query, [search]))
            counts = {line["line"]: self._counted(connection, line) for line in lines}
        with self._store.writing() as connection:
            for line, (asked_for, arrived, imported) in counts.items():
                query = f"""
                    UPDATE "{FOUND.name}" SET asked_for = $1, arrived = $2, imported = $3 WHERE task_id = $4 AND line = $5
                """
                connection.execute(query, [asked_for, arrived, imported, search, line])
        asked, arrived, imported = (sum(one[place] or 0 for one in counts.values()) for place in range(3))
        return {
            "series": len(lines), "failed": sum(line["state"] == "failed" for line in lines), "asked_for": asked,
            "arrived": arrived, "imported": imported,
            "missing": sum(asked - came for asked, came, _ in counts.values() if asked is not None and came is not None),
        }  # fmt: skip

    @staticmethod
    def _counted(connection: Any, line: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
        """Of a series: objects asked for, arrived and imported; None where nobody knows which they are."""
        uids = line["images"] or line["listed"]
        if not uids:
            return line["size"], None, None
        query = f"""
            SELECT count(*), count(*) FILTER (outcome IN ({', '.join(f"'{one}'" for one in IMPORTED)})) FROM object
            WHERE study_instance_uid = $1 AND sop_instance_uid IN (SELECT unnest($2::VARCHAR[]))
        """
        [(arrived, imported)] = connection.execute(query, [line["study_instance_uid"], uids]).fetchall()
        return len(uids), arrived, imported
