"""Retrieving what a search chose, as a task that continues after a restart.

C-MOVEs are run by Orthanc's jobs, a few in parallel, and tried again with growing pauses; at the
end the result is compared with what the store has.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ..records import FETCHING, FOUND
from ..records.task import OPEN
from ..store import Store, tasks
from ..work.runner import Kind, Runner
from ..work.task_interface import Failed, Run, Stopped
from .answers import Image
from .arrival import compare
from .moves import Move, Moves, Part, together
from .node_search import NodeError
from .nodes import Nodes, NoNode
from .remote_node import UNKNOWN, Node
from .search_tasks import NODE_SEARCH

RETRIEVAL = Kind("retrieval", NODE_SEARCH.place, lasting=True)
KIND = RETRIEVAL.name
_LOG = logging.getLogger(__name__)
_LOOK_S = 0.25  # from one look at the jobs to the next, unless a job is reported to have ended
_NOTED_S = 2.0  # from one record of the states of series to the next
_PATIENCE_S = 60.0  # while what arrived cannot be written, before the result is counted without it
assert set(FETCHING) == {"moving", "moved", "failed"}


class Reading(NamedTuple):
    """How far Orthanc's changes have been read.

    cursor: number of the last one read; last: number of the last one; is_stuck: what was read
    cannot be written now.
    """

    cursor: int
    last: int
    is_stuck: bool


class UnderWay(Exception):
    """Raised when what the search found is already being retrieved."""


class Fetching:
    """Starts retrievals, and continues those interrupted by a restart.

    May be used from any thread.
    """

    def __init__(
        self,
        store: Store,
        runner: Runner,
        nodes: Nodes,
        at_once: Callable[[], int],
        pause: Callable[[], float],
        reading: Callable[[], Reading],
    ) -> None:
        """Initialize the retrievals.

        at_once: returns the number of C-MOVEs run in parallel; pause: returns the number of seconds
        before the first retry of a C-MOVE; reading: returns how far Orthanc's changes have been
        read, and requests it.
        """
        self._store, self._runner, self._nodes = store, runner, nodes
        self._at_once, self._pause, self._reading = at_once, pause, reading
        self._looks: set[threading.Event] = set()
        self._starting = threading.Lock()

    def start_retrieval(self, user: str, search: int, node: str) -> int:
        """Start retrieving what a search on a node chose, and return the task's number.

        Whatever failed before or did not arrive is retrieved again. Raises NoNode, UnderWay.
        """
        self._nodes.listed_node(node)
        with self._starting:
            if self._is_under_way(search):
                raise UnderWay
            with self._store.writing() as connection:
                query = f"""
                    UPDATE "{FOUND.name}" SET state = NULL, fault = NULL, asked_for = NULL, arrived
                    = NULL, imported = NULL
                    WHERE task_id = $1 AND chosen AND (state = 'failed' OR arrived < asked_for)
                """
                connection.execute(query, [search])
            parameters = {"search": search, "node": node}
            return self._runner.start_on_thread(
                RETRIEVAL, user, node, parameters, partial(self._work, search, node)
            )

    def _is_under_way(self, search: int) -> bool:
        with self._store.reading() as connection:
            going_on = tasks.of_states(connection, OPEN)
        return any(
            task["kind"] == KIND and task["parameters"]["search"] == search for task in going_on
        )

    def resume(self) -> None:
        """Continue the retrievals interrupted by the end of the server."""
        self._runner.resume(
            RETRIEVAL,
            lambda task: partial(
                self._work, task["parameters"]["search"], task["parameters"]["node"]
            ),
        )

    def look_at_jobs(self) -> None:
        """Look at the jobs, since one of Orthanc's has ended. Returns at once."""
        for wanted in tuple(self._looks):
            wanted.set()

    def _work(self, search: int, name: str, run: Run) -> dict[str, Any]:
        try:
            told, node = self._nodes.listed_node(name), self._nodes.node(name)
        except NoNode:  # removed while the server was down
            raise Failed(UNKNOWN) from None
        moves = Moves(together(self._chosen(search)), self._pause)
        wanted = threading.Event()
        self._looks.add(wanted)
        noted_at = 0.0
        try:
            while not moves.is_over:
                wanted.clear()
                _end(node, told["destination"], moves)
                _begin(node, told["destination"], moves, self._at_once())
                run.progress(moves.done, moves.total)
                if time.monotonic() - noted_at > _NOTED_S:
                    # If a kill loses such records, their series are retrieved again, which changes
                    # nothing.
                    self._write_notes(search, moves)
                    noted_at = time.monotonic()
                if not self._ask(node, search, moves):
                    wanted.wait(_LOOK_S)
        except BaseException:
            for move in moves.running:
                with contextlib.suppress(Exception):
                    node.cancel(move.job)
                    _log(node, told["destination"], move, "cancelled")
            raise
        finally:
            self._looks.discard(wanted)
            self._write_notes(search, moves)
        run.note(run.number, done=moves.done, total=moves.total)
        await_reading(self._reading, run.stopping)
        with self._store.writing() as connection:
            return compare(connection, search)

    def _chosen(self, search: int) -> list[Part]:
        """Return what is still to be retrieved, including moves that ran when the server ended."""
        query = f"""
            SELECT line, study_instance_uid, series_instance_uid, images, listed, size FROM
            "{FOUND.name}"
            WHERE task_id = $1 AND chosen AND coalesce(state, 'moving') = 'moving' ORDER BY line
        """
        with self._store.reading() as connection:
            return [Part(*row) for row in connection.execute(query, [search]).fetchall()]

    def _ask(self, node: Node, search: int, moves: Moves) -> bool:
        """Query the node for the next series to be moved.

        Returns False if no query can be made now.
        """
        move = moves.next() if len(moves.asked) < self._at_once() else None
        if move is None:
            return False
        for part in move.parts:
            self._list(node, search, part)
        try:
            is_taken = move.take(*node.ask(move.level, move.keys))
        except NodeError as error:
            moves.failed(move, error)
            return True
        if is_taken:
            moves.asked.append(move)
        else:
            moves.split(move)
        return True

    def _list(self, node: Node, search: int, part: Part) -> None:
        """Query which objects a series has, to know afterwards whether all of them arrived."""
        if part.images is not None or part.listed is not None:
            return
        keys = {
            "StudyInstanceUID": part.study,
            "SeriesInstanceUID": part.series,
            "SOPInstanceUID": "",
        }
        try:
            answers = node.find("Instance", keys)
        except NodeError:  # unknown level, or the move will show what is wrong
            answers = []
        part.listed = [
            image.sop_instance_uid for image in map(Image.of, answers) if image is not None
        ]
        if part.listed:
            with self._store.writing() as connection:
                query = f'UPDATE "{FOUND.name}" SET listed = $1 WHERE task_id = $2 AND line = $3'
                connection.execute(query, [part.listed, search, part.line])

    def _write_notes(self, search: int, moves: Moves) -> None:
        if not moves.notes:
            return
        with self._store.writing() as connection:
            query = f"""
                UPDATE "{FOUND.name}" SET state = note.state, fault = note.fault
                FROM (SELECT unnest($2::BIGINT[]) AS line, unnest($3::VARCHAR[]) AS state,
                unnest($4::VARCHAR[]) AS fault) note
                WHERE task_id = $1 AND "{FOUND.name}".line = note.line
            """
            connection.execute(
                query,
                [search, list(moves.notes), *map(list, zip(*moves.notes.values(), strict=True))],
            )
        moves.notes.clear()


def await_reading(reading: Callable[[], Reading], stopping: threading.Event) -> None:
    """Wait until everything that has arrived by now has been read.

    However long that takes; but not longer than _PATIENCE_S while it cannot be written. Raises
    Stopped.
    """
    now = reading()
    last, end = now.last, time.monotonic() + _PATIENCE_S
    while now.cursor < min(last, now.last):  # the log of changes may be emptied meanwhile
        if not now.is_stuck:
            end = time.monotonic() + _PATIENCE_S
        elif time.monotonic() > end:
            return
        if stopping.wait(_LOOK_S / 5):
            raise Stopped
        now = reading()


def _begin(node: Node, destination: str, moves: Moves, at_once: int) -> None:
    """Start as many moves as may run."""
    while moves.asked and len(moves.running) < at_once:
        move = moves.asked.pop(0)
        move.began = time.monotonic()
        try:
            move.job = node.move(move.query, move.only, destination)
        except NodeError as error:
            _log(node, destination, move, f"failed: {error}")
            moves.failed(move, error)
        else:
            moves.began(move)


def _end(node: Node, destination: str, moves: Moves) -> None:
    """Find out which moves have ended."""
    for move in list(moves.running):
        try:
            if not node.moved(move.job):
                continue
        except NodeError as error:
            _log(node, destination, move, f"failed: {error}")
            moves.failed(move, error)
        else:
            _log(node, destination, move, "success")
            moves.moved(move)


def _log(node: Node, destination: str, move: Move, status: str) -> None:
    seconds = time.monotonic() - move.began
    listed = [len(part.images or part.listed or ()) for part in move.parts]
    objects = sum(listed) if all(listed) else "not listed"
    said = f"series {len(move.parts)}, objects {objects}, try {move.tries + 1}: {status}"
    _LOG.info(
        "C-MOVE from %s to %s in %.1f s: %s", node.name, destination or "Orthanc", seconds, said
    )
