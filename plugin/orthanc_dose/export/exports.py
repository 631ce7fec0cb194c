"""Exports as tasks: on threads of their own, each from one state of the store, into a file that is there when it is whole."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ..records import IDENTITY_FIELDS
from ..store import Store, tasks
from . import csv_file, data_files, forms, nhsbsp, phe, workbook
from .selection import Progress, Selection, selected

KIND = "export"
# What an export can say of who the patients are, and by which fields.
IDENTITY = {"name": {"patient_name", "patient_birth_date"}, "id": {"patient_id", "patient_birth_date"}}
AT_ONCE = 2
_LOG = logging.getLogger(__name__)
_EVERY_S = 0.5  # from one note of the progress to the next


class Stopped(Exception):
    """Somebody stopped the task, or the server ends."""


@dataclass(frozen=True)
class Options:
    """How a file is written: the format of its dates (a key of csv_file.DATE_FORMATS), the fields that are left out."""

    date_format: str
    without: frozenset[str]


@dataclass(frozen=True)
class Format:
    """A format of files. modalities: the modality types that it is for; None where it is for each and for all together."""

    title: str
    ending: str
    mime: str
    write: Callable[[Selection, Path, Options, Progress], None]
    modalities: tuple[str, ...] | None = None


def _for_programs(kind: str) -> Callable[..., None]:
    return lambda chosen, path, options, progress: data_files.write(chosen, path, kind, options.without, progress)


def _form(title: str, modality: str, name: str) -> Format:
    def write(chosen: Selection, path: Path, options: Options, progress: Progress) -> None:
        forms.write(phe.FORMS[name], chosen, path, options.date_format, progress)

    return Format(title, "xlsx", _XLSX, write, (modality,))


CSV, _XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    "csv": Format("CSV", "csv", CSV,
                  lambda chosen, path, options, progress: csv_file.write(chosen, path, options.date_format, progress)),
    "xlsx": Format("XLSX", "xlsx", _XLSX,
                   lambda chosen, path, options, progress: workbook.write(chosen, path, options.date_format, progress)),
    "parquet": Format("Parquet", "parquet", "application/vnd.apache.parquet", _for_programs("parquet")),
    "arrow": Format("Arrow IPC", "arrow", "application/vnd.apache.arrow.file", _for_programs("arrow")),
    "jsonl": Format("JSON Lines", "jsonl", "application/x-ndjson", _for_programs("jsonl")),
    "nhsbsp": Format("NHSBSP dose survey", "csv", CSV,
                     lambda chosen, path, options, progress: nhsbsp.write(chosen, path, progress), ("MG",)),
    "phe_ct_2019": _form("PHE 2019 CT survey", "CT", "phe_ct_2019"),
    "phe_dx_2019_projection": _form("PHE 2019 radiography survey, single projection", "DX", "phe_dx_2019_projection"),
    "phe_dx_2019_study": _form("PHE 2019 radiography survey, study", "DX", "phe_dx_2019_study"),
    "phe_rf_2019": _form("PHE 2019 fluoroscopy survey", "RF", "phe_rf_2019"),
}  # fmt: skip
PACKED = frozenset({"parquet", "arrow", "jsonl"})  # in a ZIP where there are events
_ZIP = "application/zip"
MEDIA_TYPES = (*dict.fromkeys(one.mime.partition(";")[0] for one in FORMATS.values()), _ZIP)


@dataclass
class _Run:
    stopping: threading.Event = field(default_factory=threading.Event)
    connection: duckdb.DuckDBPyConnection | None = None


class Exports:
    """Starts, stops and remembers exports. May be used from any thread."""

    def __init__(self, store: Store, data_directory: Path, date_format: Callable[[], str]) -> None:
        self._store, self._date_format = store, date_format
        self._folder = data_directory / "exports"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._pool = ThreadPoolExecutor(AT_ONCE, "dose-export")
        self._lock = threading.Lock()
        self._runs: dict[int, _Run] = {}
        self._break_off()

    def start(
        self, user: str, file_format: str, modality: str | None, values: dict[str, Any], query: dict[str, str],
        identity: Collection[str] = (),
    ) -> int:  # fmt: skip
        """Begin an export of the studies that the filters' values leave; the task's number. query: the same values as text, as
        far as they may be kept; identity: which of IDENTITY says who the patients are."""
        ending = "zip" if modality and file_format in PACKED else FORMATS[file_format].ending
        about = (modality or "all").lower() if FORMATS[file_format].modalities is None else file_format.replace("_", "-")
        name = f"{about}-{tasks.now():%Y%m%d-%H%M%S}.{ending}"
        parameters = {"format": file_format, "modality": modality, "query": query, "identity": sorted(identity)}
        number = tasks.create(self._store, KIND, user, name, parameters)
        with self._lock:
            self._runs[number] = _Run()
        without = IDENTITY_FIELDS.difference(*(IDENTITY[one] for one in identity))
        self._pool.submit(self._work, number, file_format, modality, values, without)
        return number

    def stop(self, task_id: int) -> bool:
        """End an export; False where none of this number waits or runs."""
        with self._lock:
            run = self._runs.get(task_id)
        if run is None:
            return False
        run.stopping.set()
        if run.connection is not None:
            run.connection.interrupt()
        return True

    def file(self, task: dict[str, Any]) -> tuple[Path, str]:
        """Where the file of a finished task is, and its media type. Raises FileNotFoundError."""
        path = self._path(task["id"])
        if task["state"] != "done" or not path.is_file():
            raise FileNotFoundError
        return path, _ZIP if task["subject"].endswith(".zip") else FORMATS[task["parameters"]["format"]].mime

    def sweep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Delete files whose tasks are forgotten."""
        known = {str(row[0]) for row in connection.execute("SELECT id FROM task WHERE kind = $1", [KIND]).fetchall()}
        for path in self._folder.iterdir():
            if path.name.split(".")[0] not in known:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop all, and join the threads."""
        with self._lock:
            numbers = list(self._runs)
        for number in numbers:
            self.stop(number)
        self._pool.shutdown(cancel_futures=True)

    def _path(self, number: int) -> Path:
        return self._folder / str(number)

    def _break_off(self) -> None:
        """What was under way when the server ended cannot go on: its file is gone."""
        with self._store.writing() as connection:
            for task in tasks.of_states(connection, ("waiting", "running")):
                if task["kind"] == KIND:
                    tasks.put(connection, task | {"state": "broken off", "finished_at": tasks.now()})
        for path in self._folder.glob("*.part*"):
            path.unlink(missing_ok=True)

    def _work(
        self, number: int, file_format: str, modality: str | None, values: dict[str, Any], without: frozenset[str]
    ) -> None:  # fmt: skip
        run, part = self._runs[number], self._folder / f"{number}.part"
        note = {"state": "running", "started_at": tasks.now()}
        try:
            if run.stopping.is_set():
                raise Stopped
            self._note(number, **note)
            with selected(self._store, modality, values, without, events=file_format not in PACKED) as chosen:
                run.connection = chosen.connection
                options = Options(self._date_format(), without)
                FORMATS[file_format].write(chosen, part, options, self._progress(number, run))
                total = chosen.total
            part.replace(self._path(number))
            size = self._path(number).stat().st_size
            end = {"state": "done", "done": total, "total": total, "result": {"studies": total, "bytes": size}}
        except Exception as error:  # noqa: BLE001  whatever it is, the task says so
            stopped = run.stopping.is_set()
            if not stopped:
                _LOG.error("an export failed", exc_info=error)
            failed = {"state": "failed", "message": f"The export could not be made: {type(error).__name__}."}
            end = {"state": "stopped"} if stopped else failed
            for left in self._folder.glob(f"{number}.part*"):
                left.unlink(missing_ok=True)
        finally:
            with self._lock:
                del self._runs[number]
        self._note(number, finished_at=tasks.now(), **end)

    def _progress(self, number: int, run: _Run) -> Callable[[int, int], None]:
        last = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            if run.stopping.is_set():
                raise Stopped
            if time.monotonic() - last > _EVERY_S:
                last = time.monotonic()
                self._note(number, done=done, total=total)

        return progress

    def _note(self, number: int, **changes: Any) -> None:
        with self._store.writing() as connection:
            found = tasks.one(connection, number)
            if found is not None:
                tasks.put(connection, found | changes)
