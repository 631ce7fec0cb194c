"""What `orthanc-dose send` finds to send in files, folders and zip archives."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Maximum bytes of a member of an archive, which is unpacked in memory. Larger objects can be sent
# as files, which are not loaded.
LARGEST_MEMBER = 1_000_000_000
_HEAD = 132
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # an archive, an empty one


@dataclass(frozen=True)
class Found:
    """Something to send: its name, and its content or why it cannot be sent.

    It has neither if it is not a DICOM object.
    """

    name: str
    body: bytes | Path | None = None
    problem: str | None = None


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
