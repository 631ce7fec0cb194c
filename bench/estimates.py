"""Estimates of all existing studies, as after a changed table: how many studies in a second."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import duckdb

from orthanc_dose.estimates.follower import Estimates
from orthanc_dose.query import lists
from orthanc_dose.store import Store
from orthanc_dose.work.followers import _Thread
from orthanc_dose.work.owner import Owner

from .api import fill
from .results import Results

SETTINGS = {
    "effective_dose_weights": "ICRP 60",
    "effective_dose_ct": "aapm96",
    "effective_dose_nm": "none",
    "effective_dose_projection": "none",
}
AIM_S = 600.0
# Sizes and regions, which made-up reports do not all give: each event is estimated in full.
_SIZED = """
    UPDATE ct_event SET
    target_region = {'value': '816094009', 'scheme': 'SCT', 'meaning': 'Chest'},
    ctdiw_phantom_type = {'value': '113691', 'scheme': 'DCM', 'meaning': 'IEC Body Dosimetry Phantom'}
"""


def run(quick: bool) -> Iterator[Results]:
    size = 5_000 if quick else 1_000_000
    results = Results(
        "estimates",
        "Estimates of all existing studies",
        "The follower of estimates over a store that it did not know, with all CT events in the chest; "
        f"the aim is 1,000,000 studies in {AIM_S:.0f} s. Then a page of the list by the result.",
        ("studies", "rows", "s", "studies/s", "s for 1,000,000", "filter ms", "sort ms"),
    )
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name) / "dose"
        fill(folder, size)
        store = Store(folder)
        with store.connection() as connection:
            connection.execute(_SIZED)
            connection.execute("UPDATE study SET patient_age = 50 WHERE modality = 'CT'")
        follower = Estimates()
        follower.setting = SETTINGS.__getitem__
        thread = _Thread(store, follower, Owner("bench", "bench"))
        began = perf_counter()
        thread._begin()
        while thread._round():
            pass
        seconds = perf_counter() - began
        with store.reading() as connection:
            [(rows,)] = connection.execute("SELECT count(*) FROM estimate").fetchall()
            filtered = _page_ms(connection, {"effective_dose_estimated_from": 5.0}, "-study_date")
            ordered = _page_ms(connection, {}, "-effective_dose_estimated")
        store.close()
    results.add(
        size,
        rows,
        seconds,
        size / seconds,
        seconds * 1e6 / size,
        filtered,
        ordered,
        studies=size,
        rows=rows,
        seconds=seconds,
        studies_per_s=size / seconds,
        filter_ms=filtered,
        sort_ms=ordered,
    )
    yield results


def _page_ms(connection: duckdb.DuckDBPyConnection, values: dict[str, float], sort: str) -> float:
    """Return the time of a page, the better of two."""
    times = []
    for _ in range(2):
        began = perf_counter()
        lists.page_of_studies(
            connection, {"modality": ["CT"], **values}, sort, 50, 0, lists.usual_columns("CT")
        )
        times.append((perf_counter() - began) * 1e3)
    return min(times)
