"""Exports: how long they take, how much memory they use, and how they slow down storing."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import openpyxl

from orthanc_dose.export.data_files import write_data_file as write_data
from orthanc_dose.export.selection import selected
from orthanc_dose.samples import SampleStudy, make_studies
from orthanc_dose.samples.ct import ct_report
from orthanc_dose.samples.document import Study
from orthanc_dose.store import Store
from orthanc_dose.store.database import EXPORTS
from tests.support.server import OrthancServer

from .api import BASE, fill
from .material import write_reports
from .results import Results
from .storing import by_dicom


def run(quick: bool) -> Iterator[Results]:
    yield _tables(1_000 if quick else 10_000)
    yield _programs(10_000 if quick else 1_000_000, 1 if quick else 3)
    yield _storing(80 if quick else 400, 1 if quick else 5, 1_000 if quick else 10_000)


def _ct(size: int) -> list[SampleStudy]:
    """Return CT studies of 4 to 8 events: those of the samples, which have 2 or 3, with other events."""
    out = []
    for one in make_studies(size, kinds=("ct",)):
        events = 4 + one.index % 5
        about = Study(
            instance_uid=one.study_instance_uid,
            started=one.started,
            accession_number=one.accession_number,
            description=one.description,
            protocol=one.description,
        )
        report = ct_report(
            events,
            seed=one.index,
            patient=one.patient,
            study=about,
            system=one.system,
            key=f"bench|{one.index}",
        )
        out.append(replace(one, events=events, datasets=[report]))
    return out


def _tables(size: int) -> Results:
    results = Results(
        "exports",
        "Exports of CT",
        f"{size:,} CT studies with 4 to 8 irradiation events each, all non-empty columns, from "
        "the request to a running Orthanc until the file is complete; memory: the maximum "
        "increase of the process above its previous use. openpyxl: its write-only mode writing "
        "all sheets of that workbook from rows in memory, without queries and formats.",
        ("what", "s", "MB above idle", "file, MB", "aim"),
    )
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        fill(folder / "dose", size, _ct(BASE))
        with OrthancServer(folder=folder) as server:
            server.wait_until_idle()
            assert server.process is not None
            pid = server.process.pid
            raw = b""
            for kind, aim in (
                ("csv", "1 s"),
                ("xlsx", "5 s, 150 MB"),
                ("parquet", ""),
                ("arrow", ""),
                ("jsonl", ""),
            ):
                before = _memory(pid, "VmRSS")
                Path(f"/proc/{pid}/clear_refs").write_text("5")
                seconds, file = _export(server, kind)
                above = _memory(pid, "VmHWM") - before
                raw = file if kind == "xlsx" else raw
                results.add(
                    kind,
                    seconds,
                    above,
                    len(file) / 1e6,
                    aim,
                    what=kind,
                    seconds=seconds,
                    mb_above=above,
                    bytes=len(file),
                    studies=size,
                )
            assert server.stop() == 0
        seconds = _by_openpyxl(raw, folder / "openpyxl.xlsx")
        results.add(
            "openpyxl",
            seconds,
            "",
            (folder / "openpyxl.xlsx").stat().st_size / 1e6,
            "3 times xlsx",
            what="openpyxl",
            seconds=seconds,
        )
    return results


def _by_openpyxl(raw: bytes, path: Path) -> float:
    """Write the rows of a workbook anew and return the seconds, without those of reading them."""
    book, seconds = openpyxl.Workbook(write_only=True), 0.0
    for sheet in openpyxl.load_workbook(BytesIO(raw), read_only=True):
        rows = [*sheet.iter_rows(values_only=True)]
        seconds += _timed(lambda: _write_sheet(book, str(sheet.title), rows))  # noqa: B023
    return seconds + _timed(lambda: book.save(path))


def _write_sheet(book: openpyxl.Workbook, title: str, rows: Sequence[tuple[object, ...]]) -> None:
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    sheet.close()


def _programs(size: int, rounds: int) -> Results:
    results = Results(
        "exports parquet",
        "Parquet, and DuckDB's own COPY",
        f"{size:,} studies of all kinds: the export, including the selection of its studies, "
        "compared with COPY of the same columns from the table of studies as stored. Median of "
        f"{rounds}.",
        ("what", "s", "ratio", "least", "most", "aim"),
    )
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        fill(folder, size)
        store, files = Store(folder), folder / EXPORTS
        files.mkdir(exist_ok=True)
        ours, copied = [], []
        for _ in range(rounds):
            ours.append(_timed(lambda: _ours(store, files / "ours.parquet")))
            copied.append(_timed(lambda: _copy(store, files / "copy.parquet")))
        store.close()
    ratios = [one / other for one, other in zip(ours, copied, strict=True)]
    results.add("COPY", median(copied), "", "", "", "", what="COPY", seconds=copied, studies=size)
    results.add(
        "export",
        median(ours),
        median(ratios),
        min(ratios),
        max(ratios),
        "1.2",
        what="export",
        seconds=ours,
        ratios=ratios,
        studies=size,
    )
    return results


def _ours(store: Store, path: Path) -> None:
    with selected(store, None, {}, frozenset(), cells=False) as chosen:
        write_data(chosen, path, "parquet", frozenset(), lambda done, total: None)


def _copy(store: Store, path: Path) -> None:
    with store.connection() as connection:
        columns = connection.execute(
            f"SELECT * FROM read_parquet('{path.with_name('ours.parquet')}') LIMIT 0"
        ).description
        own = {
            row[0]
            for row in connection.execute("SELECT column_name FROM (DESCRIBE study)").fetchall()
        }
        names = ", ".join(
            f'{"s" if column[0] in own else "e"}."{column[0]}"' for column in columns or ()
        )
        connection.execute(f"""
            COPY (SELECT {names} FROM study s LEFT JOIN equipment e ON e.id = s.equipment_id)
            TO '{path}' (FORMAT parquet, COMPRESSION zstd)
        """)


def _storing(count: int, rounds: int, size: int) -> Results:
    results = Results(
        "exports storing",
        "Storage rate during an export",
        f"{count:,} dose reports sent over one association of storescu to a server that exports "
        f"{size:,} CT studies as XLSX repeatedly, and to the same server when it exports "
        f"nothing. Median of {rounds} pairs.",
        ("during, per s", "without, per s", "ratio", "least", "most", "aim"),
    )
    rates: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder, files = Path(name), Path(name) / "files"
        files.mkdir()
        write_reports(files, count)
        fill(folder / "dose", size, _ct(BASE))
        with OrthancServer(folder=folder) as server:
            server.wait_until_idle()
            by_dicom(server, files)  # so that in each round the same objects are stored already
            server.wait_until_idle()
            for number in range(rounds):
                for exporting in (True, False) if number % 2 else (False, True):
                    with _exporting(server, exporting):
                        rates[exporting].append(count / _timed(lambda: by_dicom(server, files)))
                    server.wait_until_idle()
            assert server.stop() == 0
    ratios = [one / other for one, other in zip(rates[True], rates[False], strict=True)]
    results.add(
        median(rates[True]),
        median(rates[False]),
        median(ratios),
        min(ratios),
        max(ratios),
        "0.8",
        during=rates[True],
        without=rates[False],
        ratios=ratios,
    )
    return results


@contextmanager
def _exporting(server: OrthancServer, does: bool) -> Iterator[None]:
    ending = threading.Event()

    def export() -> None:
        while not ending.is_set():
            _export(server, "xlsx")

    thread = threading.Thread(target=export if does else lambda: None)
    thread.start()
    sleep(0.5)
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _export(server: OrthancServer, kind: str) -> tuple[float, bytes]:
    """Return the seconds from the request until the file is complete, and the file."""
    start = perf_counter()
    body = {"format": kind, "modality": "CT", "query": {}, "identity": []}
    number = server.request("POST", "/dose/api/exports", json=body).json()["id"]
    while (task := server.ok(f"/dose/api/tasks/{number}"))["finished_at"] is None:
        sleep(0.05)
    seconds = perf_counter() - start
    assert task["state"] == "done", task
    return seconds, server.request("GET", f"/dose/api/exports/{number}/file").content


def _memory(pid: int, what: str) -> float:
    """Return megabytes: VmRSS is a process's current use, VmHWM its peak since that was last reset."""
    return int(Path(f"/proc/{pid}/status").read_text().split(f"{what}:")[1].split()[0]) / 1000


def _timed(do: Callable[[], object]) -> float:
    start = perf_counter()
    do()
    return perf_counter() - start
