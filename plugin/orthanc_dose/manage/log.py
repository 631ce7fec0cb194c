"""The program's log: from Python's logging to Orthanc's log, to memory and, if set, to a file.

The entries in memory are for the page of the log. Each module has a logger of its own. No log says
who a patient is: messages contain no values of objects, and for an exception its type and place are
written, but never its message, which may hold values.
"""

import contextlib
import errno
import fcntl
import logging
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from .settings import Settings

LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
MOST_REMEMBERED = 2_000
_PACKAGE = __name__.partition(".")[0]
_LOG = logging.getLogger(__name__)
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([A-Z]+) (\S+) (.*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_BLOCK = 65_536  # bytes of a file that are read at once


@dataclass(frozen=True)
class Entry:
    """A record of the log.

    at: UTC, ISO 8601 with milliseconds; level: a key of LEVELS; logger: the module that wrote it; message:
    one line.
    """

    at: str
    level: str
    logger: str
    message: str

    def line(self) -> str:
        """Return the entry as a line of the file."""
        return f"{self.at} {self.level.upper()} {self.logger} {self.message}"


def entry_of(record: logging.LogRecord) -> Entry:
    """Return what is kept of a record of Python's logging; it is made only once per record."""
    made: Entry | None = getattr(record, "entry", None)
    if made is None:
        made = record.entry = _entry(record)
    return made


def _entry(record: logging.LogRecord) -> Entry:
    at = (
        datetime.fromtimestamp(record.created, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
    level = next((name for name, least in LEVELS.items() if record.levelno >= least), "debug")
    message = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        message += f": {type(record.exc_info[1]).__name__}{place_of(record.exc_info[1])}"
    return Entry(at, level, record.name.removeprefix(f"{_PACKAGE}."), _CONTROL.sub(" ", message))


def read_line(line: str) -> Entry | None:
    """Return the entry of a line of the file, or None for any other line."""
    found = _LINE.fullmatch(line)
    return (
        Entry(found[1], found[2].lower(), found[3], found[4])
        if found and found[2].lower() in LEVELS
        else None
    )


def place_of(error: BaseException) -> str:
    """Return where an error was raised: " in module:line"."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        ""
        if trace is None
        else f" in {trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
    )


class _ToOrthanc(logging.Handler):
    def __init__(self, write: Callable[[int, str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(record.levelno, entry_of(record).message)


class _ToMemory(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.entries: deque[Entry] = deque(maxlen=MOST_REMEMBERED)
        self.errors = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.entries.append(entry_of(record))
        self.errors += record.levelno >= logging.ERROR


class _ToFile(RotatingFileHandler):
    """Writes to a file for its owner alone; creates its folder if only that is missing.

    A full disk or a folder that is not writable stops nothing: entries that the file cannot take
    are in memory and in Orthanc's log. The file is tried again with each entry.
    """

    def __init__(self, path: Path, megabytes: int, kept: int) -> None:
        super().__init__(
            path, maxBytes=megabytes * 1_000_000, backupCount=kept, encoding="utf-8", delay=True
        )
        self.is_written = True
        self._failed = self._ended = False

    def format(self, record: logging.LogRecord) -> str:
        return entry_of(record).line()

    def emit(self, record: logging.LogRecord) -> None:
        if self._ended:  # another thread got this handler from the logger before it was removed
            return
        self._failed = False
        super().emit(record)
        if not self._failed and not self.is_written:
            self.is_written = True
            _LOG.info("the log file can be written again")

    def handleError(self, record: logging.LogRecord) -> None:
        self._failed = True
        if not self.is_written:
            return
        self.is_written = False
        error = sys.exc_info()[1]
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        # The message comes back to this handler, where it fails, and to the others.
        _LOG.error("the log file cannot be written: %s", reason)

    def close(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            super().close()

    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(mode=0o700, exist_ok=True)
        stream = open(  # noqa: SIM115  (the handler closes it)
            self.baseFilename, "a", encoding="utf-8", opener=_for_its_owner
        )
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Two processes that start new files at the same moment would lose each other's.
            stream.close()
            raise OSError(errno.EBUSY, "another process is writing it") from None
        except OSError:
            pass  # a file system without locks
        return stream


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Log:
    """The log of this program while it runs.

    write: takes a level of Python's logging and a line, for Orthanc's own log.
    """

    def __init__(self, write: Callable[[int, str], None]) -> None:
        self._logger = logging.getLogger(_PACKAGE)
        self._logger.propagate = False
        self._logger.setLevel(logging.INFO)
        self._memory, self._orthanc = _ToMemory(), _ToOrthanc(write)
        self._orthanc.setLevel(logging.WARNING)
        self._handlers: list[logging.Handler] = [self._orthanc, self._memory]
        for handler in self._handlers:
            self._logger.addHandler(handler)
        # Messages of libraries may hold values of objects: they go nowhere, whereas Python would
        # write them to Orthanc's output.
        logging.getLogger().addHandler(logging.NullHandler())
        logging.captureWarnings(True)
        self._lock = threading.Lock()
        self._file: _ToFile | None = None
        self._file_is: tuple[int, int] | None = None
        self._path = Path()
        self._settings: Settings | None = None

    def follow(self, settings: Settings, path: Path) -> None:
        """Apply the settings, now and after each change. path: the path of the file."""
        self._settings, self._path = settings, path
        settings.watch(self._apply)
        self._apply()

    @property
    def level(self) -> str:
        """The lowest level that is written: a key of LEVELS."""
        return next(name for name, level in LEVELS.items() if self._logger.level >= level)

    @property
    def file(self) -> Path | None:
        """The file that the log is written to, or None."""
        return self._path if self._file is not None and self._file.is_written else None

    @property
    def errors(self) -> int:
        """The number of errors since the start."""
        return self._memory.errors

    def newest(self, least: str, text: str, limit: int) -> list[Entry]:
        """Return up to `limit` entries, the newest first.

        They are of level `least` or more severe, with `text` in the message or the logger.
        """
        least_level, words = LEVELS[least], text.lower()
        found: list[Entry] = []
        for entry in self._entries():
            if LEVELS[entry.level] >= least_level and (
                words in entry.message.lower() or words in entry.logger.lower()
            ):
                found.append(entry)
                if len(found) >= limit:
                    break
        return found

    def close(self) -> None:
        """Stop writing."""
        for handler in (*self._handlers, *([self._file] if self._file else [])):
            self._logger.removeHandler(handler)
            handler.close()

    def _entries(self) -> Iterator[Entry]:
        """Return the entries, the newest first.

        They come from the file and its predecessors, or else from memory.
        """
        if self.file is None:
            return reversed(list(self._memory.entries))
        kept = self._file_is[1] if self._file_is else 0
        paths = (
            self._path,
            *(self._path.with_name(f"{self._path.name}.{number}") for number in range(1, kept + 1)),
        )
        return _parsed(line for path in paths for line in _lines_backwards(path))

    def _apply(self) -> None:
        assert self._settings is not None
        value = self._settings.value
        wanted = (
            (value("log_file_megabytes"), value("log_files_kept")) if value("log_to_file") else None
        )
        self._logger.setLevel(LEVELS[value("log_level")])
        self._orthanc.setLevel(LEVELS[value("log_level_in_orthanc")])
        with self._lock:
            if wanted == self._file_is:
                return
            if self._file is not None:
                self._logger.removeHandler(self._file)
                self._file.close()
            self._file, self._file_is = None, wanted
            if wanted is not None:
                self._file = _ToFile(self._path, *wanted)
                self._logger.addHandler(self._file)


def _parsed(lines: Iterable[str]) -> Iterator[Entry]:
    return (entry for entry in map(read_line, lines) if entry is not None)


def _lines_backwards(path: Path) -> Iterator[str]:
    """Yield the lines of a file, the last first; none if it does not exist."""
    try:
        file = open(path, "rb")  # noqa: SIM115  closed below
    except OSError:
        return
    with file:
        end, rest = file.seek(0, 2), b""
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            lines = (file.read(end - start) + rest).split(b"\n")
            rest, end = lines[0], start
            for line in reversed(lines[1:]):
                yield line.decode("utf-8", "replace")
        yield rest.decode("utf-8", "replace")
