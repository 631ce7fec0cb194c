"""How long the API takes to answer, from a store of 1,000 studies and from one of 100,000."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import requests

from orthanc_dose.records import STUDY_TABLES
from orthanc_dose.store import Store, Writer, index
from tests.support.server import PASSWORD, USER, OrthancServer

from .material import batch, studies
from .results import Results

BASE = 500
PART = 100  # copies in one transaction


def run(quick: bool) -> Iterator[Results]:
    sizes = (500, 5_000) if quick else (1_000, 100_000)
    times: list[dict[str, list[float]]] = []
    events = []
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        for size in sizes:
            events.append(fill(folder / "dose", size))
            times.append(_answers(folder, size, 5 if quick else 20))
        megabytes = (folder / "dose" / "dose.duckdb").stat().st_size / 1e6
    results = Results(
        "api", "Time to answer",
        f"HTTP over one connection to a running Orthanc, from a store of {sizes[0]:,} studies and of {sizes[1]:,}"
        f" ({events[1]:,} irradiation events, {megabytes:,.0f} MB); medians of {5 if quick else 20}, without the first.",
        ("address below /dose/api", f"ms, {sizes[0]:,}", f"ms, {sizes[1]:,}", "first", "growth"),
    )  # fmt: skip
    for path, few in times[0].items():
        many = times[1][path]
        small, large = median(few[1:]), median(many[1:])
        results.add(path, small, large, many[0], large / small, path=path, studies=list(sizes), ms=[small, large],
                    first_ms=many[0], all_ms=many)  # fmt: skip
    yield results


def fill(folder: Path, size: int) -> int:
    """Bring a store to `size` studies; irradiation events in it. The first 500 are extracted from made-up reports, the
    others are copies with numbers, UIDs, accession numbers and days of their own, without the kept content."""
    folder.mkdir(exist_ok=True)
    store = Store(folder)
    with store.connection() as connection:
        held = connection.execute("SELECT count(*) FROM study").fetchone()[0]  # type: ignore[index]
        if not held:
            writer = Writer(store)
            made = list(studies(BASE))
            for at in range(0, BASE, 100):
                writer.commit(batch(made[at : at + 100], at + 1))
            writer.close()
            held = BASE
        # In parts: a transaction is kept in memory until it ends.
        for first in range(held // BASE, size // BASE, PART):
            _copy(connection, first, min(first + PART, size // BASE))
        index.fill(connection)
        connection.execute("DELETE FROM state WHERE name = 'last_study_id'")
        connection.execute("INSERT INTO state VALUES ('last_study_id', ?)", [str(size)])
        tables = " UNION ALL ".join(f'SELECT count(*) FROM "{name}"' for name in ("ct_event", "projection_event"))
        events = connection.execute(f"SELECT sum(n)::BIGINT FROM ({tables}) t(n)").fetchone()[0]  # type: ignore[index]
    store.close()
    return events


def _copy(connection: object, first: int, last: int) -> None:
    """Copies number `first` to `last` of the first studies. Descriptions and protocols vary, as those of many years do."""
    run = connection.execute  # type: ignore[attr-defined]
    protocol = f"(k * 11 + {{}} % {BASE}) % 900"
    of_study = f"""
        id + k * {BASE} AS id, study_instance_uid || '.' || k AS study_instance_uid, accession_number || k AS accession_number,
        study_date - (k * 7 % 2000)::INTEGER AS study_date, study_description || ' ' || (k * 7 + id) % 400 AS study_description,
        list_transform(acquisition_protocols, name -> name || ' ' || {protocol.format("study.id")}) AS acquisition_protocols
    """
    of_event = {
        "sop_instance_uid": "sop_instance_uid || '.' || k", "irradiation_event_uid": "irradiation_event_uid || '.' || k",
        "acquisition_protocol": f"acquisition_protocol || ' ' || {protocol.format('study_id')}",
    }  # fmt: skip
    of_object = f"""
        orthanc_id || k AS orthanc_id, study_id + k * {BASE} AS study_id, sop_instance_uid || '.' || k AS sop_instance_uid,
        study_instance_uid || '.' || k AS study_instance_uid, change + k * {BASE} AS change, NULL AS content
    """

    def copy(table: str, changes: str, number: str) -> None:
        run(f"""
            INSERT INTO "{table}" BY NAME SELECT "{table}".* REPLACE ({changes})
            FROM "{table}", range({first}, {last}) copies(k) WHERE {number} <= {BASE} ORDER BY k, {number}
        """)

    run("BEGIN TRANSACTION")
    copy("study", of_study, "id")
    for table in STUDY_TABLES:
        changes = ", ".join(f"{change} AS {name}" for name, change in of_event.items() if name in table.names)
        copy(table.name, f"study_id + k * {BASE} AS study_id, {changes}", "study_id")
    copy("object", of_object, "study_id")
    run("COMMIT")


def _answers(folder: Path, size: int, turns: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    with OrthancServer(folder=folder) as server, requests.Session() as session:
        session.trust_env, session.auth = False, (USER, PASSWORD)
        server.wait_until_idle()
        for path in (
            "/status", "/summary", "/studies?modality=CT&limit=50&sort=-study_date", "/studies?limit=50&sort=id",
            f"/studies?modality=CT&limit=50&offset={size // 4}", "/studies?accession_number=none", f"/studies/{size // 2}",
            f"/studies/{size - 7}", "/objects?limit=50", "/objects?outcome=failed",
        ):  # fmt: skip
            label = path.replace(str(size // 4), "(a quarter)").replace(f"/{size // 2}", "/(middle)")
            label = label.replace(f"/{size - 7}", "/(last)")
            times[label] = []
            for _ in range(turns + 1):
                start = perf_counter()
                answer = session.get(f"{server.url}/dose/api{path}", timeout=60)
                times[label].append((perf_counter() - start) * 1e3)
                assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        assert server.stop() == 0
    return times
