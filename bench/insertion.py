"""Insertion: the writer's transactions into a DuckDB file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from orthanc_dose.store import Store, Writer

from .material import batch, studies
from .results import Results

BATCH = 200


def run(quick: bool) -> Iterator[Results]:
    results = Results(
        "insertion",
        "Insertion into the store",
        f"Transactions of {BATCH} reports each, 1 to 20 events a report, records created "
        "beforehand; median of the transactions.",
        (
            "transactions",
            "reports",
            "rows",
            "ms per transaction",
            "reports/s",
            "rows/s",
            "store MB",
        ),
    )
    made = list(studies(BATCH * (2 if quick else 8)))
    batches = [batch(made[at : at + BATCH]) for at in range(0, len(made), BATCH)]
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as folder:
        store = Store(Path(folder))
        writer = Writer(store)
        times, rates, rows = [], [], 0
        for one in batches:
            records = [record for found in one.studies.values() for record in found]
            of_batch = len(one.objects) + sum(
                1 + len(record.events) + len(record.accumulated) for record in records
            )
            start = perf_counter()
            writer.commit(one)
            times.append(perf_counter() - start)
            rates.append(of_batch / times[-1])
            rows += of_batch
        writer.close()
        store.close()
        size = store.size() / 1e6
    results.add(
        len(batches),
        len(made),
        rows,
        median(times) * 1e3,
        BATCH / median(times),
        median(rates),
        size,
        transactions=len(batches),
        reports=len(made),
        rows=rows,
        ms=median(times) * 1e3,
        reports_per_s=BATCH / median(times),
        rows_per_s=median(rates),
        store_mb=size,
    )
    yield results
