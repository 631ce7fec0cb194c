"""A PACS on pynetdicom that answers C-FIND from the objects it holds, and C-MOVE in the manner a
test wants.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_MOVE
from pynetdicom.dsutils import encode
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as FIND  # type: ignore[attr-defined]
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as MOVE  # type: ignore[attr-defined]
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from tests.support.server import _free_ports

SUCCESS, PENDING = 0x0000, 0xFF00
_UIDS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


class Move:
    """A C-MOVE to be answered.

    objects: what it requests; destination: its address, None if it is unknown.
    """

    def __init__(
        self, event: Any, objects: list[Dataset], destination: tuple[str, int] | None
    ) -> None:
        self.objects, self.destination = objects, destination
        self._event = event
        self._to: Association | None = None

    def send(self, *objects: Dataset) -> None:
        """Store objects at the destination."""
        assert self.destination is not None
        if self._to is None:
            entity = _entity()
            for sop_class in {one.SOPClassUID for one in (*self.objects, *objects)}:
                entity.add_requested_context(sop_class)
            self._to = entity.associate(
                *self.destination, ae_title=self._event.request.MoveDestination
            )
        for one in objects:
            assert self._to.send_c_store(one).Status == SUCCESS

    def answer(
        self,
        status: int,
        *,
        left: int | None = None,
        failed: list[Dataset] | None = None,
        comment: str = "",
    ) -> None:
        """Send one response.

        left: how many objects are still to be sent, if counts are given; failed: objects that could
        not be sent.
        """
        asked = self._event.request
        said = C_MOVE()
        said.MessageIDBeingRespondedTo, said.AffectedSOPClassUID = (
            asked.MessageID,
            asked.AffectedSOPClassUID,
        )
        said.Status = status
        if comment:
            said.ErrorComment = comment
        if left is not None:
            said.NumberOfRemainingSuboperations = left if status == PENDING else None
            said.NumberOfCompletedSuboperations = len(self.objects) - left - len(failed or ())
            said.NumberOfFailedSuboperations, said.NumberOfWarningSuboperations = (
                len(failed or ()),
                0,
            )
        if failed:
            identifier = Dataset()
            identifier.FailedSOPInstanceUIDList = [one.SOPInstanceUID for one in failed]
            said.Identifier = BytesIO(encode(identifier, True, True) or b"")
        self._event.assoc.dimse.send_msg(said, self._event.context.context_id)

    @property
    def is_listened_to(self) -> bool:
        """True while the requester is connected."""
        return bool(
            self._event.assoc.dul.state_machine.current_state == "Sta6"
        )  # PS3.8 9.2: ready for data

    def abort(self) -> None:
        self._event.assoc.abort()

    def hang_up(self) -> None:
        """Close the connection as a crashing program does."""
        self._event.assoc.dul.socket.close()

    def release(self) -> None:
        self._event.assoc.release()

    def end(self) -> None:
        if self._to is not None:
            self._to.release()


def _entity() -> AE:
    """Return an application entity that waits as long as it takes: a busy machine is no fault."""
    entity = AE("BAD")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = None
    return entity


Manner = Callable[[Move], None]


def well(move: Move) -> None:
    """Behave correctly: send everything, and report the counts after each object."""
    for number, one in enumerate(move.objects, 1):
        move.send(one)
        move.answer(PENDING, left=len(move.objects) - number)
    move.answer(SUCCESS, left=0)


class Archive:
    """Listens from start() to stop(), on the same port each time.

    objects: what it has. manners: how it answers the next moves, one each; the last one stays.
    asked: the SOP instance UIDs of each move that came, associations: on which they came. known:
    addresses by AE title. lists: whether it matches lists of UIDs; by_series: whether it considers
    series in a query; by_object: whether it answers about objects.
    """

    def __init__(self) -> None:
        [self.port] = _free_ports(1)
        self.objects: list[Dataset] = []
        self.manners: list[Manner] = [well]
        self.asked: list[set[str]] = []
        self.associations: set[Association] = set()
        self.lists = self.by_series = self.by_object = True
        self.known: dict[str, tuple[str, int]] = {}
        self._server: Any = None

    def __enter__(self) -> Archive:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def will(self, *manners: Manner) -> None:
        """Set the manners from now on."""
        self.manners, self.asked, self.associations = list(manners), [], set()

    def start(self) -> Archive:
        entity = _entity()
        for service in (FIND, MOVE, Verification):
            entity.add_supported_context(service)
        self._server = entity.start_server(
            ("127.0.0.1", self.port),
            block=False,
            evt_handlers=[
                (evt.EVT_C_FIND, self._find),
                (evt.EVT_C_MOVE, self._move),
            ],
        )
        return self

    def stop(self) -> None:
        """Stop listening, and abort what is in progress."""
        if self._server is not None:
            self._server.shutdown()
            self._server.ae.shutdown()
            self._server = None

    def _matching(self, asked: Dataset) -> list[Dataset]:
        def matches(one: Dataset, keyword: str) -> bool:
            wanted = asked.get(keyword) or None
            if wanted is None or isinstance(wanted, str):
                return wanted in (None, one.get(keyword))
            return self.lists and one.get(keyword) in wanted

        return [
            one for one in self.objects if all(matches(one, keyword) for keyword in _UIDS.values())
        ]

    def _find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        level = asked.QueryRetrieveLevel
        groups: dict[str, list[Dataset]] = {}
        if level == "SERIES" and not self.by_series:
            asked.SeriesInstanceUID = ""
        if level == "IMAGE" and not self.by_object:
            yield 0xA900, None
            return
        for one in self._matching(asked):
            groups.setdefault(one[_UIDS[level]].value, []).append(one)
        for of_group in groups.values():
            yield PENDING, self._told(level, asked, of_group)

    @staticmethod
    def _told(level: str, asked: Dataset, of_group: list[Dataset]) -> Dataset:
        told = Dataset()
        for element in asked:
            if element.keyword in of_group[0]:
                told.add(of_group[0][element.keyword])
        told.QueryRetrieveLevel = level
        if level == "STUDY":
            told.ModalitiesInStudy = sorted({one.Modality for one in of_group})
        elif level == "SERIES":
            told.NumberOfSeriesRelatedInstances = len(of_group)
        return told

    def _move(self, event: Any) -> Iterator[Any]:
        found = self._matching(event.identifier)
        self.associations.add(event.assoc)
        self.asked.append({str(one.SOPInstanceUID) for one in found})
        manner = self.manners.pop(0) if len(self.manners) > 1 else self.manners[0]
        move = Move(event, found, self.known.get(event.request.MoveDestination.strip()))
        try:
            manner(move)
        finally:
            move.end()
        # Everything has been sent; the library would add a response of its own.
        dimse = event.assoc.dimse
        dimse.send_msg = lambda *_: delattr(dimse, "send_msg")
        return iter(())


def slowly(seconds: float) -> Manner:
    """Return a manner that pauses before each message."""

    def manner(move: Move) -> None:
        for one in move.objects:
            time.sleep(seconds)
            move.answer(PENDING)
            move.send(one)
        time.sleep(seconds)
        move.answer(SUCCESS)

    return manner
