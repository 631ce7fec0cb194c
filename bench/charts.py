"""How long the charts of CT take over 10,000, 100,000 and 1,000,000 studies, and how large the answers are."""

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

# What a list of CT may be filtered by: nothing, or a term in the names of protocols.
FILTERS = {"all": {}, "protocol": {"acquisition_protocols": ["abd"]}}


def run(quick: bool) -> Iterator[Results]:
    sizes = (500, 5_000) if quick else (10_000, 100_000, 1_000_000)
    turns = 3 if quick else 5
    charts = [chart for chart in CHARTS.values() if chart.modality == "CT"]
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder, made = Path(name), list(make_studies(BASE, seed=1, kinds=("ct",)))
        for size in sizes:
            events = fill(folder, size, made)
            results = Results(
                "charts", f"Charts of {size:,} CT studies",
                f"From the store ({events:,} irradiation events) to JSON, in ms, one chart after the other, means alone;"
                f" medians of {turns}, without the first. With a filter: studies with a protocol of which \"abd\" is a part.",
                ("chart", "ms", "with a filter", "kB"),
            )  # fmt: skip
            store = Store(folder)
            together = {label: 0.0 for label in FILTERS}
            whole = 0
            for chart in charts:
                times = {label: _times(store, chart, values, turns) for label, values in FILTERS.items()}
                for label, (ms, _) in times.items():
                    together[label] += ms
                (ms, length), (filtered, _) = times.values()
                whole += length
                results.add(chart.name, ms, filtered, length / 1000, chart=chart.name, studies=size, ms=ms,
                            filtered_ms=filtered, bytes=length)  # fmt: skip
            store.close()
            results.add("all together", *together.values(), whole / 1000, chart="all", studies=size, ms=together["all"],
                        filtered_ms=together["protocol"], bytes=whole)  # fmt: skip
            yield results


def _times(store: Store, chart: Chart, values: dict[str, list[str]], turns: int) -> tuple[float, int]:
    """Milliseconds, and bytes of JSON."""
    times, length = [], 0
    for _ in range(turns + 1):
        start = perf_counter()
        with store.reading() as connection:
            data = data_of(connection, chart, chart.views[0], DEFAULTS, values)
        answer = json.dumps({"rows": data.rows, "figure": figure_of(data, Wording())}, default=str)
        times.append((perf_counter() - start) * 1e3)
        length = len(answer.encode())
    return median(times[1:]), length
