"""How long the charts of CT take for 10,000, 100,000 and 1,000,000 studies, and how large the
answers are.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from orthanc_dose.charts import CHARTS, DEFAULTS, Chart, Wording, data_of, figure_of
from orthanc_dose.samples import make_studies
from orthanc_dose.store import Store

from .api import BASE, fill
from .results import Results

# Filters of the list of CT studies: none, or a term in the names of protocols.
FILTERS: tuple[dict[str, list[str]], ...] = ({}, {"acquisition_protocols": ["abd"]})


def run(quick: bool) -> Iterator[Results]:
    sizes = (500, 5_000) if quick else (10_000, 100_000, 1_000_000)
    turns = 3 if quick else 5
    charts = [chart for chart in CHARTS.values() if chart.modality == "CT"]
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as path:
        folder, made = Path(path), list(make_studies(BASE, seed=1, kinds=("ct",)))
        for size in sizes:
            events = fill(folder, size, made)
            results = Results(
                "charts",
                f"Charts of {size:,} CT studies",
                f"From the store ({events:,} irradiation events) to JSON, in ms, one chart after "
                f"the other, as a list first shows them; medians of {turns}, without the first. "
                'With a filter: studies with a protocol that contains "abd".',
                ("chart", "ms", "with a filter", "ratio", "kB"),
            )
            store = Store(folder)
            whole: dict[str, list[float]] = {
                "all together": [0.0, 0.0, 0],
                "of studies": [0.0, 0.0, 0],
            }
            for chart in charts:
                [(ms, length), (filtered, _)] = [
                    _times(store, chart, values, turns) for values in FILTERS
                ]
                _add(results, chart.name, size, ms, filtered, length)
                for name in whole if chart.level == "study" else ("all together",):
                    whole[name] = [
                        a + b for a, b in zip(whole[name], (ms, filtered, length), strict=True)
                    ]
            store.close()
            for name, times in whole.items():
                _add(results, name, size, *times)
            yield results


def _add(results: Results, name: str, size: int, ms: float, filtered: float, length: float) -> None:
    results.add(
        name,
        ms,
        filtered,
        filtered / ms,
        length / 1000,
        chart=name,
        studies=size,
        ms=ms,
        filtered_ms=filtered,
        bytes=length,
    )


def _times(
    store: Store, chart: Chart, values: dict[str, list[str]], turns: int
) -> tuple[float, int]:
    """Return the milliseconds, and the bytes of JSON."""
    times, length = [], 0
    for _ in range(turns + 1):
        start = perf_counter()
        with store.reading() as connection:
            data = data_of(
                connection,
                chart,
                chart.views[0],
                DEFAULTS,
                values,
                with_studies=chart.kind != "average",
            )
        answer = json.dumps({"rows": data.rows, "figure": figure_of(data, Wording())}, default=str)
        times.append((perf_counter() - start) * 1e3)
        length = len(answer.encode())
    return median(times[1:]), length
