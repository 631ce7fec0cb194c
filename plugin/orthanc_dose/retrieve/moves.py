"""What is to be moved from a node, and what becomes of it: which series go together, what is tried
again and when.

Orthanc opens one association for all that a query found, so series of a study are asked for and
moved together, by a list of their UIDs, which PS3.4 C.2.2.2.2 lets a node match. What a node makes
of it otherwise is fetched series by series."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby

from .node import GONE, NotThere, Standstill
from .search import NodeError

_TOGETHER = 16  # series at most
_LONGER = (1, 4, 12)  # times the first pause: before each time that a move is tried again


@dataclass
class Part:
    """A series, or some of its objects: images, their UIDs. line: of FOUND that it is for; listed:
    its objects, as far as the node lists them; size: how many the node says that it has."""

    line: int
    study: str
    series: str
    images: list[str] | None
    listed: list[str] | None
    size: int | None

    @property
    def objects(self) -> int:
        """As far as it is known; one at least."""
        return len(self.images) if self.images is not None else self.size or 1


@dataclass
class Move:
    """Series of a study, or objects of one series. query and job: Orthanc's; only: the number of
    the one answer to the query that is wanted, where the node answered with more. began: by the
    monotonic clock."""

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
        """Note the query for it, by the UIDs of its level that the node answers; False where it
        must be split. Raises NotThere."""
        wanted = self.parts[0].images or [part.series for part in self.parts]
        is_all_of_it = set(answered) == set(wanted)
        if not is_all_of_it and len(wanted) > 1:
            return False
        if wanted[0] not in answered:
            raise NotThere(GONE)
        self.query, self.only = query, None if is_all_of_it else answered.index(wanted[0])
        return True

    def split(self) -> "list[Move]":
        """Series by series; the whole series where the node does not match a list of objects."""
        return [Move([replace(part, images=None)]) for part in self.parts]


def together(parts: Iterable[Part]) -> list[Move]:
    """Moves for parts, which come study by study."""
    moves = []
    for _, of_study in groupby(parts, lambda part: part.study):
        found = list(of_study)
        whole = [part for part in found if part.images is None]
        moves += [Move(whole[at : at + _TOGETHER]) for at in range(0, len(whole), _TOGETHER)]
        moves += [Move([part]) for part in found if part.images is not None]
    return moves


@dataclass
class Moves:
    """All of a retrieval. pause: seconds before a move is tried again for the first time. done,
    total: objects.
    """

    waiting: list[Move]
    pause: Callable[[], float]
    asked: list[Move] = field(
        default_factory=list
    )  # the node is asked ahead, so that a move begins as soon as another ends
    running: list[Move] = field(default_factory=list)
    done: int = 0
    total: int = 0
    notes: dict[int, tuple[str, str | None]] = field(
        default_factory=dict
    )  # by line: state and fault, not yet written
    _tries: int = 0  # of the node, while nothing can be fetched from it
    _not_before: float = 0.0

    def __post_init__(self) -> None:
        self.total = sum(move.objects for move in self.waiting)

    @property
    def is_over(self) -> bool:
        return not (self.waiting or self.asked or self.running)

    def next(self) -> Move | None:
        """The next that waits, and need not wait longer; it is taken out."""
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
        """Its parts are the next."""
        parts = move.split()
        self.total += sum(part.objects for part in parts) - move.objects
        self.waiting[:0] = parts

    def failed(self, move: Move, error: NodeError) -> None:
        """Try it again, or give it up. Of several series it may be one that failed: each is tried
        by itself.
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
        """All moves wait together, and in the end all are given up: each by itself might take
        days.
        """
        self.waiting, self.asked = [move, *self.asked, *self.waiting], []
        if self._not_before > time.monotonic():  # another move met with the same
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
