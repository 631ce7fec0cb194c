"""A remote node as Orthanc reaches it: C-ECHO, C-FIND and C-MOVE through Orthanc's own routes.

Orthanc's messages about failures are the same texts from 1.10 to 1.12; they name application
entities and DICOM status codes only.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote
from uuid import uuid4

from .answers import Answer
from .search import NodeError, NodeRefuses

_LOG = logging.getLogger(__name__)
# PS3.4 C.4.1.1.4 and, for all services, PS3.7 annex C.
_STATUS = {
    0xA700: "it is out of resources (0xA700)",
    0xA701: "it could not determine the number of objects to send (0xA701)",
    0xA702: "it could not send the objects (0xA702)",
    0xA801: "it does not know the destination (0xA801)",
    0xB000: "it could not send all of the objects (0xB000)",
    0xA900: "it does not accept these keys (0xA900)",
    0xC000: "it cannot process this (0xC000)",
    0x0122: "it does not support queries (0x0122)",
    0x0124: "it does not permit queries from Orthanc (0x0124)",
    0xFE00: "it cancelled the query (0xFE00)",
}
UNKNOWN = "Orthanc has no node with this name."
_NOT_OFFERED = "The node does not offer this service."
_BROKEN_OFF = "The node aborted the association."
GONE = "The node no longer has it."
_FORGOTTEN = "Orthanc no longer knows the result."
_FAILED = "The query failed: Orthanc gave no reason that can be shown here."
# What a C-MOVE of a study that cannot exist reveals about its destination; pages put it in words.
# accepted: the node accepted it, so it knows the destination, unless it looks for the study first;
# unknown: it does not know the destination; unclear: it refused for another reason, as Orthanc
# does, which looks for the study first; failed: there was no answer.
WOULD_SEND = ("accepted", "unknown", "unclear", "failed")
# Each is followed by a colon.
_NO_ANSWER, _REFUSED = "Orthanc gave no answer", "The node refused"
# Keys that a query can do without, and whose values in answers may be in a character set that
# Orthanc does not read.
_TEXTS = frozenset({"StudyDescription", "SeriesDescription", "StationName"})
_UID_OF = {"Series": "SeriesInstanceUID", "Instance": "SOPInstanceUID"}


class Orthanc(Protocol):
    """Orthanc's routes; see loopback.py."""

    def call(self, method: str, path: str, body: Any = None, seconds: float = 60.0) -> Any: ...


class Quick(Protocol):
    """The same for calls that return at once; see host.py."""

    def call(self, method: str, path: str, body: Any = None) -> Any: ...


@dataclass
class Node:
    """A remote node.

    name: of the modality in Orthanc. calling: our AE title, empty for Orthanc's own. seconds: how
    long the node may take to answer. doubt: called with what was left out to get an answer.
    """

    orthanc: Orthanc
    quick: Quick
    name: str
    calling: str = ""
    seconds: int = 60
    doubt: Callable[[str], None] = lambda what: None

    def echo(self) -> str | None:
        """Send a C-ECHO. Returns None if the node answers, or else the reason."""
        try:
            with self._logged("C-ECHO"):
                self._call("echo", {"Timeout": min(self.seconds, 10)})
        except NodeError as error:
            return str(error)
        return None

    def would_send(self, destination: str) -> tuple[str, str | None]:
        """Return whether the node would send to an AE title, empty for Orthanc's own.

        This is one of WOULD_SEND, with what the node or Orthanc said, as far as a C-MOVE of a study
        that cannot exist reveals it.
        """
        study = {"StudyInstanceUID": f"2.25.{uuid4().int}"}
        body: dict[str, Any] = {
            "Level": "Study",
            "Resources": [study],
            "Timeout": min(self.seconds, 10),
            "Synchronous": True,
        }
        try:
            with self._logged("C-MOVE of a study that cannot exist", destination):
                self._call("move", body | ({"TargetAet": destination} if destination else {}))
        except NodeRefuses as error:
            return "unknown" if isinstance(error, _NoDestination) else "unclear", str(error)
        except NodeError as error:
            return "failed", str(error)
        return "accepted", None

    def find(self, level: str, keys: dict[str, str]) -> list[Answer]:
        """Send one C-FIND; level: Study, Series or Instance. Raises NodeError, NodeRefuses."""
        try:
            return self._find(level, keys)
        except _CharacterSet:
            self.doubt("character_set")
            return self._find(
                level, {name: value for name, value in keys.items() if name not in _TEXTS}
            )
        except _Broken:  # retried once: an association may end for many reasons
            try:
                return self._find(level, keys)
            except _Broken as error:
                raise NodeRefuses(str(error)) from error

    def ask(self, level: str, keys: dict[str, str]) -> tuple[str, list[str]]:
        """Send one C-FIND for what is to be moved.

        Returns the identifier of Orthanc's query, and the UIDs of this level in the order of the
        answers. Raises NodeError.
        """
        with self._logged_find(level, keys) as said:
            asked = self._query(level, keys)
            answers = self.quick.call("GET", f"/queries/{asked}/answers?expand&simplify")
            said.append(_answers(len(answers)))
        return asked, [answer.get(_UID_OF[level], "") for answer in answers]

    def move(self, query: str, only: int | None, destination: str) -> str:
        """Start a C-MOVE of everything that a query found, or of one answer.

        Returns the identifier of Orthanc's job. destination: an AE title, empty for Orthanc's own.
        Raises NodeError.
        """
        body: dict[str, Any] = {"Synchronous": False, "Timeout": self.seconds}
        if destination:
            body["TargetAet"] = destination
        path = f"/queries/{query}" if only is None else f"/queries/{query}/answers/{only}"
        try:
            job: str = self.quick.call("POST", f"{path}/retrieve", body)["ID"]
            return job
        except Exception as error:
            raise _translated(error, self.seconds) from error

    def moved(self, job: str) -> bool:
        """Return whether a job started by `move` has succeeded; False while it runs.

        Raises NodeError if it failed or is gone.
        """
        try:
            found = self.quick.call("GET", f"/jobs/{job}")
        except Exception as error:
            raise NodeError(_FORGOTTEN) from error
        if found["State"] == "Failure":
            raise _translated(
                _Failure(found.get("ErrorDetails") or found.get("ErrorDescription") or ""),
                self.seconds,
            )
        return bool(found["State"] == "Success")

    def cancel(self, job: str) -> None:
        with suppress(Exception):  # it may have ended
            self.quick.call("POST", f"/jobs/{job}/cancel", {})

    def _find(self, level: str, keys: dict[str, str]) -> list[Answer]:
        with self._logged_find(level, keys) as said:
            path = f"/queries/{self._query(level, keys)}"
            try:
                found: list[Answer] = self.orthanc.call("GET", f"{path}/answers?expand&simplify")
            finally:
                with suppress(Exception):
                    self.orthanc.call("DELETE", path)
            said.append(_answers(len(found)))
        return found

    def _query(self, level: str, keys: dict[str, str]) -> str:
        body = {"Level": level, "Query": keys, "Normalize": False, "Timeout": self.seconds}
        return str(self._call("query", body)["ID"])

    @contextmanager
    def _logged(self, what: str, destination: str | None = None) -> Iterator[list[str]]:
        """Log a line about an exchange with the node: its status, its duration and further remarks.

        The remarks are what the caller adds to the list yielded. destination: of a C-MOVE.
        """
        began, said = time.monotonic(), list[str]()
        to = "" if destination is None else f" to {destination or 'Orthanc'}"
        try:
            yield said
        except NodeError as error:
            said.append(f"failed: {error}")
            raise
        except Exception as error:
            said.append(f"failed: {type(error).__name__}")
            raise
        else:
            said.append("success")
        finally:
            seconds = time.monotonic() - began
            _LOG.info("%s at %s%s in %.1f s: %s", what, self.name, to, seconds, ", ".join(said))

    @contextmanager
    def _logged_find(self, level: str, keys: dict[str, str]) -> Iterator[list[str]]:
        asked = ", ".join(name for name, value in keys.items() if value)
        _LOG.debug("C-FIND at %s with keys %s", self.name, asked or "nothing")
        with self._logged(f"C-FIND of level {level}") as said:
            yield said

    def _call(self, what: str, body: dict[str, Any]) -> Any:
        if "/" in self.name:  # Orthanc would take it for a part of the path, however it is encoded
            raise Standstill(UNKNOWN)
        if self.calling:
            body["LocalAet"] = self.calling
        try:
            # Orthanc waits this long for each part of the answer, and for the association before.
            return self.orthanc.call(
                "POST",
                f"/modalities/{quote(self.name, safe='')}/{what}",
                body,
                4 * self.seconds + 30,
            )
        except Exception as error:
            raise _translated(error, self.seconds) from error


def _answers(number: int) -> str:
    return f"{number} answer{'s' * (number != 1)}"


class NotThere(NodeError):
    """Raised when the node does not have what is to be retrieved."""


class Standstill(NodeError):
    """Raised when nothing can be retrieved from the node now, whichever series it is."""


class _NoDestination(NodeRefuses, Standstill):
    """Raised when the node does not know where to send."""


class _Failure(Exception):
    """Raised for a job that failed."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self.details = details


class _CharacterSet(NodeError):
    """Raised when Orthanc cannot read the character set of the answer."""


class _Broken(NodeError):
    """Raised when the association ended before the answer did."""


def _translated(error: Exception, seconds: int) -> NodeError:
    details = getattr(error, "details", None)
    if details is None:
        return NodeError(f"{_NO_ANSWER}: {type(error).__name__}.")
    status = re.search(r"DIMSE status 0x([0-9A-Fa-f]{4})", details)
    if status:
        code = int(status[1], 16)
        refusal = _NoDestination if code == 0xA801 else NodeRefuses
        return refusal(f"{_REFUSED}: {_STATUS.get(code, f'status 0x{code:04X}')}.")
    for words, kind, reason in _DETAILS:
        if words in details:
            return kind(reason.format(seconds=seconds))
    return NodeError(_FAILED)


_DETAILS: tuple[tuple[str, type[NodeError], str], ...] = (
    (
        "SpecificCharacterSet",
        _CharacterSet,
        "The answer uses a character set that Orthanc cannot read.",
    ),
    ("timeout", NodeRefuses, "The node did not answer within {seconds} s."),
    ("Peer aborted", _Broken, _BROKEN_OFF),
    ("Peer Requested Release", _Broken, _BROKEN_OFF),
    (
        "Connection refused",
        Standstill,
        "No program is listening at the node's address (connection refused).",
    ),
    (
        "Association Rejected",
        Standstill,
        "The node rejected the association: check that it knows Orthanc's AE title and that its "
        "own AE title is right.",
    ),
    ("TCP Initialization Error", Standstill, "The node's address cannot be reached."),
    ("No presentation context", Standstill, _NOT_OFFERED),
    ("negotiate a presentation context", Standstill, _NOT_OFFERED),  # 1.12
    ("Remote AET is ", Standstill, _NOT_OFFERED),  # Orthanc gives no more of the message than this
    ("No modality with symbolic name", Standstill, UNKNOWN),
)

# Everything that is said of a node that gives no answer; pages translate it.
SENTENCES = (
    UNKNOWN,
    GONE,
    _FORGOTTEN,
    _FAILED,
    _NO_ANSWER,
    _REFUSED,
    *(reason for _, _, reason in _DETAILS),
    *(f"{_REFUSED}: {status}." for status in _STATUS.values()),
)
