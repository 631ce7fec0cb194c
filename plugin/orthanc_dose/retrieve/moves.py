"""The moves of a retrieval: which series are moved together, what is tried again and when.

Orthanc opens one association for everything that a query found, so series of a study are queried
and moved together, by a list of their UIDs, which PS3.4 C.2.2.2.2 allows a node to match. If a node
handles it otherwise, the study is retrieved series by series.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby

from .node_search import NodeError
from .remote_node import GONE, NotThere, Standstill

_TOGETHER = 16  # maximum number of series
_LONGER = (1, 4, 12)  # multiples of the first pause, before each retry of a move


@dataclass
class Part:
    """A series, or some of its objects.

    line: the line of FOUND that it is for; images: the UIDs of the objects; listed: the objects of
    the series, as far as the node lists them; size: the number of objects that the node states.
    """

    line: int
    study: str
    series: str
    images: list[str] | None
    listed: list[str] | None
    size: int | None

    @property
    def objects(self) -> int:
        """The number of objects as far as it is known; at least one."""
        return len(self.images) if self.images is not None else self.size or 1


@dataclass
class Move:
    """Series of a study, or objects of one series, that are moved together.

    query and job: Orthanc's; only: the number of the one answer to the query that is wanted, if the
    node answered with more. began: by the monotonic clock.
    """

    parts: list[Part]
    tries: int = 0
    not_before: float = 0.0
    query: str = ""
    only: int | None = None
    job: str = ""
    began: float = 0.0

    @property
    def level(self) -> str:
        return "Series" if self.parts[0].images is None else "Instance"

    @property
    def keys(self) -> dict[str, str]:
        keys = {
            "StudyInstanceUID": self.parts[0].study,
            "SeriesInstanceUID": "\\".join(part.series for part in self.parts),
        }
        images = self.parts[0].images
        return keys if images is None else keys | {"SOPInstanceUID": "\\".join(images)}

    @property
    def objects(self) -> int:
        return sum(part.objects for part in self.parts)

    def take(self, query: str, answered: list[str]) -> bool:
        """Record the query for the move, given the UIDs of its level that the node answered with.

        Returns False if the move must be split. Raises NotThere.
        """
        wanted = self.parts[0].images or [part.series for part in self.parts]
        is_all_of_it = set(answered) == set(wanted)
        if not is_all_of_it and len(wanted) > 1:
            return False
        if wanted[0] not in answered:
            raise NotThere(GONE)
        self.query, self.only = query, None if is_all_of_it else answered.index(wanted[0])
        return True

    def split(self) -> "list[Move]":
        """Return a move for each series: a whole one if the node matches no list of objects."""
        return [Move([replace(part, images=None)]) for part in self.parts]


def together(parts: Iterable[Part]) -> list[Move]:
    """Return the moves for parts, which are given study by study."""
    moves = []
    for _, of_study in groupby(parts, lambda part: part.study):
        found = list(of_study)
        whole = [part for part in found if part.images is None]
        moves += [Move(whole[at : at + _TOGETHER]) for at in range(0, len(whole), _TOGETHER)]
        moves += [Move([part]) for part in found if part.images is not None]
    return moves


@dataclass
class Moves:
    """All moves of a retrieval.

    pause: returns the number of seconds before the first retry of a move. done, total: numbers of
    objects.
    """

    waiting: list[Move]
    pause: Callable[[], float]
    asked: list[Move] = field(
        default_factory=list
    )  # queried in advance, so that a move starts as soon as another ends
    running: list[Move] = field(default_factory=list)
    done: int = 0
    total: int = 0
    notes: dict[int, tuple[str, str | None]] = field(
        default_factory=dict
    )  # by line: state and fault, not yet written
    _tries: int = 0  # tries with this node, while nothing can be retrieved from it
    _not_before: float = 0.0

    def __post_init__(self) -> None:
        self.total = sum(move.objects for move in self.waiting)

    @property
    def is_over(self) -> bool:
        return not (self.waiting or self.asked or self.running)

    def next(self) -> Move | None:
        """Remove and return the next waiting move whose pause is over, or None."""
        now = time.monotonic()
        move = (
            None
            if now < self._not_before
            else next((one for one in self.waiting if one.not_before <= now), None)
        )
        if move is not None:
            self.waiting.remove(move)
        return move

    def began(self, move: Move) -> None:
        self.running.append(move)
        self._note([move], "moving")

    def moved(self, move: Move) -> None:
        self.running.remove(move)
        self._tries = 0
        self.done += move.objects
        self._note([move], "moved")

    def split(self, move: Move) -> None:
        """Replace a move by its parts, which come next."""
        parts = move.split()
        self.total += sum(part.objects for part in parts) - move.objects
        self.waiting[:0] = parts

    def failed(self, move: Move, error: NodeError) -> None:
        """Schedule a retry of a failed move, or give it up.

        If it has several series, only one of them may have failed: each is tried by itself.
        """
        if move in self.running:
            self.running.remove(move)
        self._note([move], "moving", str(error))
        if isinstance(error, Standstill):
            self._stand_still(move, error)
            return
        self._tries = 0
        if len(move.parts) > 1:
            self.split(move)
            return
        move.tries += 1
        if move.tries > len(_LONGER) or isinstance(error, NotThere):
            self._give_up([move], error)
        else:
            move.not_before = self._after(move.tries)
            self.waiting.append(move)

    def _stand_still(self, move: Move, error: NodeError) -> None:
        """Let all moves wait together, and finally give all up: each by itself might take days."""
        self.waiting, self.asked = [move, *self.asked, *self.waiting], []
        if self._not_before > time.monotonic():  # another move had the same problem
            return
        self._tries += 1
        if self._tries > len(_LONGER):
            self._give_up(self.waiting, error)
            self.waiting = []
        else:
            self._not_before = self._after(self._tries)

    def _give_up(self, moves: list[Move], error: NodeError) -> None:
        self._note(moves, "failed", str(error))
        self.done += sum(move.objects for move in moves)

    def _after(self, tries: int) -> float:
        return time.monotonic() + self.pause() * _LONGER[tries - 1]

    def _note(self, moves: list[Move], state: str, fault: str | None = None) -> None:
        self.notes |= {part.line: (state, fault) for move in moves for part in move.parts}
