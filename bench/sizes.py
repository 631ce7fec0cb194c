"""Importing heights and weights from a CSV file into a store with as many studies as the file has
lines.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from orthanc_dose.ingest.size_import import SizeImport
from orthanc_dose.sizes.files import SizeFiles
from orthanc_dose.sizes.matching import OUTCOMES
from orthanc_dose.store import Store, Writer
from orthanc_dose.store.tasks import Task

from .api import fill
from .results import Results

CHOICE = {
    "identifier": 0,
    "height": 1,
    "weight": 2,
    "kind": "accession-number",
    "height_unit": "cm",
    "weight_unit": "kg",
    "overwrite": True,
    "dry_run": False,
}


def run(quick: bool) -> Iterator[Results]:
    size = 5_000 if quick else 1_000_000
    results = Results(
        "sizes",
        "Patient sizes from CSV",
        f"{size:,} lines with height and weight for {size:,} studies by accession number, "
        "running the worker's steps one after the other: the first file adds values to one study "
        "in six and overwrites the others, the second contains the same values again.",
        ("what", "s", "lines/s", "longest step, s", *OUTCOMES),
    )
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        fill(folder, size)
        store = Store(folder)
        writer, uploads = Writer(store), SizeFiles(folder, store)
        found = writer.connection.execute(
            "SELECT accession_number FROM study ORDER BY id"
        ).fetchall()
        rows = (
            f"{number};{140 + at % 600 / 10:.1f};{40 + at % 900 / 10:.1f}\r\n"
            for at, (number,) in enumerate(found)
        )
        body = ("Accession number;Height (cm);Weight (kg)\r\n" + "".join(rows)).encode()
        for task, what in enumerate(("new", "the same again"), 1):
            began = perf_counter()
            uploaded = uploads.add(body, "bench")
            steps, job = [], _job(task, uploaded.number, uploads)
            while True:
                start = perf_counter()
                batch = job.step(writer)
                if batch is None:
                    break
                writer.commit(batch)
                steps.append(perf_counter() - start)
            job.end()
            seconds = perf_counter() - began
            counts = list(job.result.values())
            results.add(
                what,
                seconds,
                size / seconds,
                max(steps),
                *counts,
                seconds=seconds,
                lines=size,
                longest_s=max(steps),
                **job.result,
            )
        writer.close()
        store.close()
    yield results


def _job(task: int, number: int, uploads: SizeFiles) -> SizeImport:
    row: Task = {
        "id": task,
        "parameters": CHOICE | {"file": number},
        "progress": {},
        "result": {},
        "done": 0,
        "total": None,
    }
    return SizeImport(row, uploads, b"a key")
