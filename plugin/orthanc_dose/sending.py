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
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from .client import ClientError, add_server_arguments, authorization
from .dicom import part10
from .dicom.dataset import Unreadable

# Maximum bytes of a member of an archive, which is unpacked in memory. Larger objects can be sent
# as files, which are not loaded.
LARGEST_MEMBER = 1_000_000_000
_TIMEOUT_S = 300
_HEAD = 132
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # an archive, an empty one
# Orthanc's status of an object that it accepted: its name in the summary.
_TAKEN = {
    "Success": "stored",
    "AlreadyStored": "there already",
    "FilteredOut": "dropped by the server's rules",
}


@dataclass(frozen=True)
class Found:
    """Something to send: its name, and its content or why it cannot be sent.

    It has neither if it is not a DICOM object.
    """

    name: str
    body: bytes | Path | None = None
    problem: str | None = None


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
    add_server_arguments(parser)
    parser.epilog = (
        "The password is taken from the environment variable DOSE_PASSWORD or asked for; a token "
        "in DOSE_TOKEN is used instead of a password, if the server accepts it. The user must "
        "have access to Orthanc's own routes."
    )


def run(chosen: argparse.Namespace) -> int:
    """Send everything; return 1 if anything was refused, or if there was nothing to send."""
    sender = Sender(chosen.url, authorization(chosen.user))
    counts: Counter[str] = Counter()
    try:
        for found in find_files(chosen.files):
            problem = found.problem
            if problem is None and found.body is None:
                counts["skipped"] += 1
                continue
            if found.body is not None:
                try:
                    counts[sender.send(found.body)] += 1
                except (Refused, OSError) as error:
                    problem = str(error)
            if problem is not None:
                counts["refused"] += 1
                _progress(counts, end=True)
                print(f"{_printable_name(found.name)}: {problem}", file=sys.stderr)
            _progress(counts)
    finally:
        _progress(counts, end=True)
        sender.close()
    print(", ".join(_summary(counts)) + ".")
    return 1 if counts["refused"] or not any(counts[status] for status in _TAKEN) else 0


def find_files(paths: list[Path]) -> Iterator[Found]:
    """Yield what these paths lead to, in the order of names.

    Folders are searched with all subfolders, and archives with all their members.
    """
    for path in paths:
        if path.is_dir():
            for folder, below, names in os.walk(path):
                below.sort()
                for name in sorted(names):
                    yield from _file(Path(folder, name))
        else:
            yield from _file(path)


def _file(path: Path) -> Iterator[Found]:
    name = str(path)
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
        if head.startswith(_ZIP):
            yield from _members(path)
        else:
            yield Found(name, path if _is_dicom(name, head) else None)
    except OSError as error:
        yield Found(name, problem=f"cannot be read: {error.strerror or type(error).__name__}")


def _members(path: Path) -> Iterator[Found]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Found(str(path), problem=f"the archive cannot be read: {error}")
        return
    with archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield _member(archive, member, f"{path}/{member.filename}")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Found:
    try:
        with archive.open(member) as file:
            head = file.read(_HEAD)
            if not _is_dicom(name, head):
                return Found(name)
            # One byte more than allowed: the size given in the archive may be wrong.
            raw = head + file.read(LARGEST_MEMBER + 1 - len(head))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        return Found(name, problem=f"cannot be unpacked: {error}")
    if len(raw) > LARGEST_MEMBER:
        return Found(
            name,
            problem=f"is larger than {LARGEST_MEMBER:,} bytes when unpacked: unpack the archive "
            "and send the file itself",
        )
    return Found(name, raw)


def _is_dicom(name: str, head: bytes) -> bool:
    """Return whether this is a DICOM object.

    It is recognised by the mark of a DICOM file, or by the first elements of a bare data set. The
    directory of a medium (DICOMDIR) is not an object.
    """
    if name.replace("\\", "/").rsplit("/", 1)[-1].upper() == "DICOMDIR":
        return False
    return head[128:132] == b"DICM" or head[:2] in (b"\x08\x00", b"\x02\x00")


class Sender:
    """One connection to Orthanc, which is kept open, and reopened if it breaks."""

    def __init__(self, url: str, authorization: str) -> None:
        address = urlsplit(url if "//" in url else f"http://{url}")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ClientError(
                f"{url} is not the address of a server, such as http://127.0.0.1:8042"
            )
        self._url, self._path = url, f"{address.path.rstrip('/')}/instances"
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

    def send(self, body: bytes | Path) -> str:
        """Store an object and return a key of _TAKEN.

        Raises Refused, OSError for a file that cannot be read, and ClientError if nothing can be
        sent at all.
        """
        if isinstance(body, Path):
            with open(body, "rb") as file:
                status, answer = self._post(file, os.fstat(file.fileno()).st_size)
        else:
            status, answer = self._post(body, len(body))
        if status == 200:
            return _taken(answer)
        if status in (401, 403):
            raise ClientError(
                _not_let_in(status, self._headers["Authorization"].startswith("Bearer"))
            )
        raise Refused(_reason(status, answer) + (_fault(body) if status == 400 else ""))

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> None:
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _post(self, body: "bytes | IO[bytes]", size: int) -> tuple[int, bytes]:
        # A connection that was kept open may have been closed meanwhile: retry once on a new one.
        for last in (False, True):
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                if self._connection.sock is None:
                    self._connect()
                self._connection.request(
                    "POST", self._path, body, self._headers | {"Content-Length": str(size)}
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


def _fault(body: bytes | Path) -> str:
    """Return what is wrong with a refused object, if it cannot be read, in words that hold none of
    its values."""
    try:
        if isinstance(body, bytes):
            part10.read_part10(body)
        else:
            with (
                open(body, "rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw,
            ):
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
    words += [f"{counts['refused']} refused"] if counts["refused"] else []
    return words + ([f"{counts['skipped']} without DICOM skipped"] if counts["skipped"] else [])
