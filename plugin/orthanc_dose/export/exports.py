"""Exports as tasks: each is made from one state of the store, and its file appears when complete."""

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from ..records import IDENTITY_FIELDS
from ..store import Store, tasks
from ..store.database import EXPORTS
from ..work.runner import Kind, Place, Runner
from ..work.task_interface import Run
from . import csv_file, data_files, forms, nhsbsp, phe, workbook
from .selection import Progress, Selection, selected

EXPORT = Kind("export", Place("exports", at_once=2))
KIND = EXPORT.name
# The patient identity that an export can contain, and the fields of each item.
IDENTITY = {
    "name": {"patient_name", "patient_birth_date"},
    "id": {"patient_id", "patient_birth_date"},
}


@dataclass(frozen=True)
class Options:
    """Options of a written file.

    date_format: a key of csv_file.DATE_FORMATS; without: the fields that are left out.
    """

    date_format: str
    without: frozenset[str]


@dataclass(frozen=True)
class Format:
    """A file format.

    modalities: the modality types that it is for; None if it is for each and for all together.
    identity: whether it can say who the patients are.
    """

    title: str
    ending: str
    mime: str
    write: Callable[[Selection, Path, Options, Progress], None]
    modalities: tuple[str, ...] | None = None
    identity: bool = True


def _for_programs(kind: str) -> Callable[..., None]:
    return lambda chosen, path, options, progress: data_files.write_data_file(
        chosen, path, kind, options.without, progress
    )


def _form(title: str, modality: str, name: str) -> Format:
    def write(chosen: Selection, path: Path, options: Options, progress: Progress) -> None:
        forms.write_form(phe.FORMS[name], chosen, path, options.date_format, progress)

    return Format(title, "xlsx", _XLSX, write, (modality,), identity=False)


CSV, _XLSX = (
    "text/csv; charset=utf-8",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
FORMATS = {
    "csv": Format(
        "CSV",
        "csv",
        CSV,
        lambda chosen, path, options, progress: csv_file.write_csv(
            chosen, path, options.date_format, progress
        ),
    ),
    "xlsx": Format(
        "XLSX",
        "xlsx",
        _XLSX,
        lambda chosen, path, options, progress: workbook.write_workbook(
            chosen, path, options.date_format, progress
        ),
    ),
    "parquet": Format(
        "Parquet", "parquet", "application/vnd.apache.parquet", _for_programs("parquet")
    ),
    "arrow": Format(
        "Arrow IPC", "arrow", "application/vnd.apache.arrow.file", _for_programs("arrow")
    ),
    "jsonl": Format("JSON Lines", "jsonl", "application/x-ndjson", _for_programs("jsonl")),
    "nhsbsp": Format(
        "NHSBSP dose survey",
        "csv",
        CSV,
        lambda chosen, path, options, progress: nhsbsp.write_nhsbsp(chosen, path, progress),
        ("MG",),
        identity=False,
    ),
    "phe_ct_2019": _form("PHE 2019 CT survey", "CT", "phe_ct_2019"),
    "phe_dx_2019_projection": _form(
        "PHE 2019 radiography survey, single projection", "DX", "phe_dx_2019_projection"
    ),
    "phe_dx_2019_study": _form("PHE 2019 radiography survey, study", "DX", "phe_dx_2019_study"),
    "phe_rf_2019": _form("PHE 2019 fluoroscopy survey", "RF", "phe_rf_2019"),
}
PACKED = frozenset({"parquet", "arrow", "jsonl"})  # in a ZIP if there are events
_ZIP = "application/zip"
MEDIA_TYPES = (*dict.fromkeys(one.mime.partition(";")[0] for one in FORMATS.values()), _ZIP)


def folder(data_directory: Path) -> Path:
    """Return the folder of the files, after creating it if necessary.

    Each file is named after its task's number, with .part while it is being written. Files that a
    killed server left unfinished are deleted.
    """
    path = data_directory / EXPORTS
    path.mkdir(mode=0o700, exist_ok=True)
    for left in path.glob("*.part*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
    return path


class Exports:
    """Starts exports and manages their files in a folder. Can be used from any thread."""

    def __init__(
        self, store: Store, runner: Runner, folder: Path, date_format: Callable[[], str]
    ) -> None:
        self._store, self._runner, self._folder, self._date_format = (
            store,
            runner,
            folder,
            date_format,
        )

    def start_export(
        self,
        user: str,
        file_format: str,
        modality: str | None,
        values: dict[str, Any],
        query: dict[str, str],
        identity: Collection[str] = (),
    ) -> int:
        """Start an export of the studies that match the filters, and return the task's number.

        values: those of the filters' parameters; query: the same values as text, as far as they may
        be stored; identity: the items of IDENTITY that the file contains.
        """
        ending = "zip" if modality and file_format in PACKED else FORMATS[file_format].ending
        about = (
            (modality or "all").lower()
            if FORMATS[file_format].modalities is None
            else file_format.replace("_", "-")
        )
        name = f"{about}-{tasks.now():%Y%m%d-%H%M%S}.{ending}"
        parameters = {
            "format": file_format,
            "modality": modality,
            "query": query,
            "identity": sorted(identity),
        }
        without = IDENTITY_FIELDS.difference(*(IDENTITY[one] for one in identity))
        return self.begin(
            user,
            name,
            parameters,
            partial(self._of_studies, file_format, modality, values, without),
        )

    def begin(
        self,
        user: str,
        name: str,
        parameters: dict[str, Any],
        write: Callable[[Path, Run], dict[str, Any]],
        kind: Kind = EXPORT,
    ) -> int:
        """Start a task that writes a file, and return its number.

        name: of the file; parameters: include its format, a key of FORMATS, and identity, the items
        of IDENTITY that it contains; write: writes the file and returns the task's result without
        the file's size; kind: one named KIND, which determines where the file is written.
        """
        return self._runner.start_on_thread(
            kind, user, name, parameters, partial(self._work, write)
        )

    def file(self, task: dict[str, Any]) -> tuple[Path, str]:
        """Return the path and media type of a finished task's file. Raises FileNotFoundError."""
        path = self._path(task["id"])
        if task["state"] != "done" or not path.is_file():
            raise FileNotFoundError
        return path, _ZIP if task["subject"].endswith(".zip") else FORMATS[
            task["parameters"]["format"]
        ].mime

    def sweep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Delete files whose tasks were deleted."""
        known = {
            str(row[0])
            for row in connection.execute("SELECT id FROM task WHERE kind = $1", [KIND]).fetchall()
        }
        for path in self._folder.iterdir():
            if path.name.isdigit() and path.name not in known:
                path.unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / str(number)

    def _of_studies(
        self,
        file_format: str,
        modality: str | None,
        values: dict[str, Any],
        without: frozenset[str],
        path: Path,
        run: Run,
    ) -> dict[str, Any]:
        with selected(
            self._store, modality, values, without, cells=file_format not in PACKED
        ) as chosen:
            run.connection, total = chosen.connection, chosen.total
            FORMATS[file_format].write(
                chosen, path, Options(self._date_format(), without), run.progress
            )
            run.connection = None
        run.note(run.number, done=total, total=total)
        return {"studies": total}

    def _work(self, write: Callable[[Path, Run], dict[str, Any]], run: Run) -> dict[str, Any]:
        part, path = self._folder / f"{run.number}.part", self._path(run.number)
        try:
            result = write(part, run)
            part.replace(path)
        finally:
            for left in self._folder.glob(f"{run.number}.part*"):
                left.unlink(missing_ok=True)
        return result | {"bytes": path.stat().st_size}
