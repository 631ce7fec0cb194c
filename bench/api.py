"""How long the API takes to answer, with a store of 1,000 studies and with one of 100,000."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import duckdb
import requests

from orthanc_dose.records import STUDY_TABLES
from orthanc_dose.samples import SampleStudy
from orthanc_dose.store import Store, Writer, index
from tests.support.server import PASSWORD, USER, OrthancServer

from .material import batch, studies
from .results import Results

BASE = 500
PART = 100  # copies in one transaction


def run(quick: bool) -> Iterator[Results]:
    sizes = (500, 5_000) if quick else (10_000, 1_000_000)
    turns = 5 if quick else 20
    times: list[dict[str, list[float]]] = []
    events, memory = [], []
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        began = perf_counter()
        for size in sizes:
            events.append(fill(folder / "dose", size))
            of_size, used = _answers(folder, size, turns)
            times.append(of_size)
            memory.append(used)
        megabytes = (folder / "dose" / "dose.duckdb").stat().st_size / 1e6
        seconds = perf_counter() - began
    results = Results(
        "api",
        "Response times",
        f"HTTP over one connection to a running Orthanc, with a store of {sizes[0]:,} studies "
        f"and of {sizes[1]:,} ({events[1]:,} irradiation events, {megabytes:,.0f} MB, created "
        f"and queried in {seconds:.0f} s); medians of {turns}, without the first.",
        ("what", f"ms, {sizes[0]:,}", f"ms, {sizes[1]:,}", "first", "growth"),
    )
    for path, few in times[0].items():
        many = times[1][path]
        small, large = median(few[1:]), median(many[1:])
        results.add(
            path,
            small,
            large,
            many[0],
            large / small,
            path=path,
            studies=list(sizes),
            ms=[small, large],
            first_ms=many[0],
            all_ms=many,
        )
    yield results
    of_memory = Results(
        "api memory",
        "Memory of the Orthanc process",
        "Resident memory in MB: when ready, and the maximum while answering these requests.",
        ("studies", "ready", "most"),
    )
    for size, (ready, most) in zip(sizes, memory, strict=True):
        of_memory.add(size, ready, most, studies=size, ready_mb=ready, most_mb=most)
    yield of_memory


def fill(folder: Path, size: int, made: list[SampleStudy] | None = None) -> int:
    """Bring a store to `size` studies and return its number of irradiation events.

    The first 500 studies are extracted from made-up reports (`made`, if given), the others are
    copies with their own numbers, UIDs, accession numbers and days, without the stored content.
    """
    folder.mkdir(exist_ok=True)
    store = Store(folder)
    with store.connection() as connection:
        [(held,)] = connection.execute("SELECT count(*) FROM study").fetchall()
        if not held:
            writer = Writer(store)
            made = made or list(studies(BASE))
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
        tables = " UNION ALL ".join(
            f'SELECT count(*) FROM "{name}"' for name in ("ct_event", "projection_event")
        )
        [(events,)] = connection.execute(f"SELECT sum(n)::BIGINT FROM ({tables}) t(n)").fetchall()
    store.close()
    return int(events)


def _copy(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> None:
    """Insert copies number `first` to `last` of the first studies.

    Descriptions and protocols vary, as in data of many years.
    """
    run = connection.execute
    protocol = f"(k * 11 + {{}} % {BASE}) % 900"
    of_study = f"""
        id + k * {BASE} AS id, study_instance_uid || '.' || k AS study_instance_uid, accession_number || k AS accession_number,
        study_date - (k * 7 % 2000)::INTEGER AS study_date, study_description || ' ' || (k * 7 + id) % 400 AS study_description,
        list_transform(acquisition_protocols, name -> name || ' ' || {protocol.format("study.id")}) AS acquisition_protocols
    """
    of_event = {
        "sop_instance_uid": "sop_instance_uid || '.' || k",
        "irradiation_event_uid": "irradiation_event_uid || '.' || k",
        "acquisition_protocol": f"acquisition_protocol || ' ' || {protocol.format('study_id')}",
    }
    of_object = f"""
        handle || k AS handle, study_id + k * {BASE} AS study_id, sop_instance_uid || '.' || k AS sop_instance_uid,
        study_instance_uid || '.' || k AS study_instance_uid, change + k * {BASE} AS change, NULL AS content,
        processed_at - to_days((k % 2000)::INTEGER) AS processed_at
    """

    def copy(table: str, changes: str, number: str) -> None:
        run(f"""
            INSERT INTO "{table}" BY NAME SELECT "{table}".* REPLACE ({changes})
            FROM "{table}", range({first}, {last}) copies(k) WHERE {number} <= {BASE} ORDER BY k,
            {number}
        """)

    run("BEGIN TRANSACTION")
    copy("study", of_study, "id")
    for table in STUDY_TABLES:
        changes = ", ".join(
            f"{change} AS {name}" for name, change in of_event.items() if name in table.names
        )
        copy(table.name, f"study_id + k * {BASE} AS study_id, {changes}", "study_id")
    copy("object", of_object, "study_id")
    run("COMMIT")


# The columns that the page of a list requests.
COLUMNS = (
    "&columns=study_description,equipment_display_name,accession_number,patient_age,patient_sex,number_of_events,dlp_total,"
    "ctdivol_max,dose_check_events"
)
# Typical requests of a physicist, by name.
ASKED = {
    "home": "/summary",
    "state": "/status",
    "list of CT": "/studies?modality=CT",
    "list of CT, DLP from 500": "/studies?modality=CT&dlp_total_from=500",
    "list of CT, DLP from 500, since a day": "/studies?modality=CT&dlp_total_from=500&study_date_from=2023-01-01",
    "acquisition protocol": "/studies?modality=CT&acquisition_protocols=abd",
    "acquisition protocol, count": "/studies/count?modality=CT&acquisition_protocols=abd",
    "text in study description": "/studies?study_description=head",
    "text in accession number": "/studies?accession_number=1234",
    "text in station name": "/studies?modality=CT&station_name=CT1",
    "kVp of an event": "/studies?modality=RF&kvp_from=80&kvp_to=90",
    "compressed thickness of an event": "/studies?modality=MG&compression_thickness_from=60",
    "marks": "/studies?modality=CT&mark=computed",
    "list of all, by number": "/studies?sort=id",
    "list of CT, by DLP": "/studies?modality=CT&sort=-dlp_total",
    "page far into the list": "/studies?modality=CT&offset={far}",
    "detail": "/studies/{middle}",
    "neighbours in the list": "/studies/{middle}/neighbours?modality=CT",
    "SOP instance UID": "/studies?sop_instance_uid=1.2.3",
    "objects": "/objects",
}


def _answers(
    folder: Path, size: int, turns: int
) -> tuple[dict[str, list[float]], tuple[float, float]]:
    times: dict[str, list[float]] = {}
    with OrthancServer(folder=folder) as server, requests.Session() as session:
        session.trust_env, session.auth = False, (USER, PASSWORD)
        server.wait_until_idle()
        assert server.process is not None
        ready = resident(server.process.pid)
        most = ready
        for label, path in ASKED.items():
            times[label] = []
            columns = COLUMNS if path.startswith("/studies?") else ""
            address = (
                f"{server.url}/dose/api{path.format(far=size // 4, middle=size // 2)}{columns}"
            )
            for _ in range(turns + 1):
                start = perf_counter()
                answer = session.get(address, timeout=60)
                times[label].append((perf_counter() - start) * 1e3)
                assert answer.status_code == 200, (
                    f"{path}: {answer.status_code} {answer.text[:300]}"
                )
            most = max(most, resident(server.process.pid))
        assert server.stop() == 0
    return times, (ready, most)


def resident(pid: int) -> float:
    """Return the megabytes of memory that a process uses."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1000
