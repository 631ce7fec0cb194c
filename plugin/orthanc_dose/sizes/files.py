"""Files of sizes between their upload and the end of their import, identified by number, in a
folder of their own beside the store.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from ..records.task import OPEN
from ..store import Store, numbers, tasks
from . import workbook
from .table import Dialect, dialect

KIND = "import-sizes"
FOLDER = "imports"
LARGEST = 200_000_000  # bytes; a million rows are some 50 MB
KEPT_S = 24 * 3600.0  # how long a file waits to be started


@dataclass(frozen=True)
class Upload:
    """An uploaded file. task: the import that was started with it, 0 for none. The user's name for
    the file is not kept, since it may be a patient's name.
    """

    number: int
    user: str
    dialect: Dialect
    path: Path
    task: int = 0


class SizeFiles:
    """The folder of uploads, which name patients: readable only by the server, and temporary."""

    def __init__(self, directory: Path, store: Store) -> None:
        self._folder = directory / FOLDER
        self._store = store
        self._starting = threading.Lock()

    def add(self, body: bytes, user: str) -> Upload:
        """Store a file, a workbook as CSV, and return its upload. Raises NotATable if it is neither
        CSV nor a workbook, OSError if it cannot be written."""
        if body.startswith(workbook.SIGNATURE):
            body = workbook.as_csv(body)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        number = _next_number(self._store)
        path = self._folder / f"{number}.csv"
        try:
            _write(path, body)
            with path.open("rb") as file:
                written = dialect(file)
            upload = Upload(number, user, written, path)
            self._note(upload)
        except BaseException:
            self.remove(number)
            raise
        return upload

    def get(self, number: int) -> Upload | None:
        """Return the upload with this number, or None."""
        try:
            found = json.loads((self._folder / f"{number}.json").read_text("utf-8"))
            found.pop("name", None)  # older versions kept it
        except (OSError, ValueError):
            return None
        how = found.pop("dialect")
        how["columns"] = tuple(how["columns"])
        path = self._folder / f"{number}.csv"
        return Upload(**found, dialect=Dialect(**how), path=path) if path.is_file() else None

    def start_import(self, upload: Upload, begin: Callable[[], int]) -> int | None:
        """Run `begin` for an upload, record and return its task; return None if already started."""
        with self._starting:
            now = self.get(upload.number)
            if now is None or now.task:
                return None
            task = begin()
            self._note(Upload(**{**vars(now), "task": task}))
            return task

    def remove(self, number: int) -> None:
        for kind in ("csv", "json"):
            with suppress(FileNotFoundError):
                (self._folder / f"{number}.{kind}").unlink()

    def sweep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Delete files not started within a day, and those whose import ended with the server."""
        under_way = {
            task["id"] for task in tasks.of_states(connection, OPEN) if task["kind"] == KIND
        }
        for path in self._folder.glob("*.csv"):
            upload = self.get(int(path.stem))
            with suppress(OSError):  # one that cannot be deleted now is retried later
                old = time.time() - path.stat().st_mtime > KEPT_S
                if old if upload is None or not upload.task else upload.task not in under_way:
                    self.remove(int(path.stem))

    def _note(self, upload: Upload) -> None:
        found = {name: value for name, value in asdict(upload).items() if name != "path"}
        path = self._folder / f"{upload.number}.json"
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        _write(new, json.dumps(found).encode())
        new.replace(path)


def _next_number(store: Store) -> int:
    """Return a number that is never reused, so that no import mistakes another file for its own."""
    with store.writing() as connection:
        return numbers.take_number(connection, numbers.SIZE_FILES)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
