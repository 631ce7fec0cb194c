"""`orthanc-dose send`: send files, folders and zip archives to Orthanc's own POST /instances, over
one connection.
"""

import argparse
import http.client
import json
import mmap
import os
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from .client import ClientError, add_server_arguments, authorization
from .dicom import part10, repair
from .dicom.dataset import Unreadable
from .sendable import find_files

_TIMEOUT_S = 300
# Orthanc's status of an object that it accepted: its name in the summary.
_TAKEN = {
    "Success": "stored",
    "AlreadyStored": "there already",
    "FilteredOut": "dropped by the server's rules",
}


class Refused(Exception):
    """The server did not accept an object; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a DICOM file, a folder, or a zip archive of them",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="send a repaired copy of an object that Orthanc refuses because a length in it is "
        "broken, without the elements that cannot be read for certain; each is named with what is "
        "lost. The file stays as it is. Reports whose content is cut are never repaired",
    )
    add_server_arguments(parser)
    parser.epilog = (
        "The password is taken from the environment variable DOSE_PASSWORD or asked for; a token "
        "in DOSE_TOKEN is used instead of a password, if the server accepts it. The user must "
        "have access to Orthanc's own routes."
    )


def run(chosen: argparse.Namespace) -> int:
    """Send everything; return 1 if anything was refused, or if there was nothing to send."""
    sender = Sender(chosen.url, authorization(chosen.user), chosen.repair)
    counts: Counter[str] = Counter()
    try:
        for found in find_files(chosen.files):
            problem = found.problem
            if problem is None and found.body is None:
                counts["skipped"] += 1
                continue
            if found.body is not None:
                try:
                    status, lost = sender.send(found.body)
                    counts[status] += 1
                    if lost:
                        counts["repaired"] += 1
                        _say(counts, found.name, f"a repaired copy was sent, which lacks {lost}")
                except (Refused, OSError) as error:
                    problem = str(error)
            if problem is not None:
                counts["refused"] += 1
                _say(counts, found.name, problem)
            _progress(counts)
    finally:
        _progress(counts, end=True)
        sender.close()
    print(", ".join(_summary(counts)) + ".")
    return 1 if counts["refused"] or not any(counts[status] for status in _TAKEN) else 0


class Sender:
    """One connection to Orthanc, which is kept open, and reopened if it breaks."""

    def __init__(self, url: str, authorization: str, repairs: bool = False) -> None:
        address = urlsplit(url if "//" in url else f"http://{url}")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ClientError(
                f"{url} is not the address of a server, such as http://127.0.0.1:8042"
            )
        self._url, self._path, self._repairs = url, address.path.rstrip("/"), repairs
        # The last one tells a server that guards against requests from other sites' pages that this
        # is not one.
        self._headers = {
            "Authorization": authorization,
            "Content-Type": "application/dicom",
            "X-Dose-Request": "1",
        }
        try:
            host, port = address.hostname, address.port
        except ValueError as error:
            raise ClientError(f"{url} has no usable port") from error
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
            )
            if address.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        )

    def send(self, body: bytes | Path) -> tuple[str, str]:
        """Store an object; return a key of _TAKEN, and what a repaired copy of it lacks, "" if it
        was sent as it is.

        Raises Refused, OSError for a file that cannot be read, and ClientError if nothing can be
        sent at all.
        """
        if isinstance(body, Path):
            with open(body, "rb") as file:
                status, answer = self._post("/instances", file, os.fstat(file.fileno()).st_size)
        else:
            status, answer = self._post("/instances", body, len(body))
        if status == 200:
            return _taken(answer), ""
        if status in (401, 403):
            raise ClientError(
                _not_let_in(status, self._headers["Authorization"].startswith("Bearer"))
            )
        reason = _reason(status, answer)
        # 404 is the answer to some broken objects, in which Orthanc finds no UIDs.
        if status not in (400, 404):
            raise Refused(reason)
        with _mapped(body) as raw:
            reason += _fault(raw)
            try:
                repaired = repair.repair(raw)
            except repair.NotRepairable as error:
                raise Refused(f"{reason}; it cannot be repaired: {error}") from error
        if not self._repairs:
            raise Refused(f"{reason}; with --repair, a copy is sent that lacks {repaired.lost}")
        status_of_copy = self._send_repaired(repaired, reason)
        return status_of_copy, repaired.lost if status_of_copy != "AlreadyStored" else ""

    def _send_repaired(self, repaired: repair.Repaired, reason: str) -> str:
        """Store a repaired copy and return a key of _TAKEN. It never replaces an object that the
        server has, which may be the intact one. Raises Refused."""
        uid = repaired.instance_uid.encode("latin-1")
        status, answer = self._post("/tools/lookup", uid, len(uid))
        held = json.loads(answer) if status == 200 else None
        if held is None:
            raise Refused(
                f"{reason}; the repaired copy was not sent, because the server does not say whether "
                f"it has the object (status {status})"
            )
        if any(one.get("Type") == "Instance" for one in held):
            return "AlreadyStored"
        status, answer = self._post("/instances", repaired.body, len(repaired.body))
        if status != 200:
            raise Refused(f"{reason}; the repaired copy too is {_reason(status, answer)}")
        return _taken(answer)

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> None:
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _post(self, path: str, body: "bytes | IO[bytes]", size: int) -> tuple[int, bytes]:
        # A connection that was kept open may have been closed meanwhile: retry once on a new one.
        for last in (False, True):
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                if self._connection.sock is None:
                    self._connect()
                self._connection.request(
                    "POST", self._path + path, body, self._headers | {"Content-Length": str(size)}
                )
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if last:
                    raise ClientError(
                        f"No answer from {self._url}: {_words(error)}. Check the address and "
                        "whether Orthanc is running."
                    ) from error
        raise AssertionError


def _taken(answer: bytes) -> str:
    with suppress(ValueError, AttributeError):
        status = json.loads(answer).get("Status")
        if isinstance(status, str) and status in _TAKEN:
            return status
    raise Refused("the answer is not from an Orthanc server")


def _not_let_in(status: int, token: bool) -> str:
    if token:
        return (
            "The server does not accept a token for storing: Orthanc's own routes require the "
            "name and password of one of its registered users (--user, DOSE_PASSWORD)."
        )
    if status == 401:
        return (
            "The server does not accept this user name and password: check --user and "
            "DOSE_PASSWORD."
        )
    return (
        "This user is not permitted to store objects, or the password is wrong: Orthanc's own "
        'routes are open to registered users who have "orthanc" in "Dose.OrthancUsers" or '
        "are not listed there."
    )


def _reason(status: int, answer: bytes) -> str:
    if status == 413:
        return "larger than the server accepts (status 413)"
    with suppress(ValueError, AttributeError, TypeError):
        told = json.loads(answer)
        words = told.get("Details") or told.get("Message")
        if words:
            return f"refused by Orthanc: {_printable_name(str(words))[:300]}"
    return f"refused with status {status}"


@contextmanager
def _mapped(body: bytes | Path) -> Iterator[part10.Raw]:
    """Give the bytes of an object, those of a file without loading it."""
    if isinstance(body, bytes):
        yield body
        return
    with open(body, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        yield raw


def _fault(raw: part10.Raw) -> str:
    """Return what is wrong with a refused object, if it cannot be read, in words that hold none of
    its values."""
    try:
        part10.read_part10(raw)
    except part10.OtherTransferSyntax:
        return ""
    except Unreadable as error:
        return f" ({error})"
    return ""


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _printable_name(name: str) -> str:
    """Return a text without terminal control characters and undecodable bytes."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _say(counts: Counter[str], name: str, words: str) -> None:
    _progress(counts, end=True)
    print(f"{_printable_name(name)}: {words}", file=sys.stderr)


def _progress(counts: Counter[str], end: bool = False) -> None:
    if sys.stderr.isatty():
        line = ", ".join(_summary(counts))
        print(f"\r\x1b[K{'' if end else line}", end="", file=sys.stderr, flush=True)


def _summary(counts: Counter[str]) -> list[str]:
    words = [
        f"{counts[status]} {word}"
        for status, word in _TAKEN.items()
        if counts[status] or status == "Success"
    ]
    words += [f"{counts['repaired']} of them repaired"] if counts["repaired"] else []
    words += [f"{counts['refused']} refused"] if counts["refused"] else []
    return words + ([f"{counts['skipped']} without DICOM skipped"] if counts["skipped"] else [])
