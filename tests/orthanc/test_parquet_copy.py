"""The copy of the whole dose record as Parquet: read by DuckDB, it holds what the API says; it is
there whole, or not.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.export.nightly import is_due
from orthanc_dose.samples import make_studies
from tests.support.exports import done
from tests.support.server import OrthancServer


@pytest.fixture(scope="module")
def server() -> Any:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        running.send(make_studies(60, seed=8))
        running.wait_until_idle()
        yield running


def copied(server: OrthancServer, identity: bool = False) -> Path:
    number = server.request("POST", "/dose/api/exports/copy", json={"identity": identity}).json()[
        "task_id"
    ]
    done(server, number)
    told = server.ok("/dose/api/exports/copy")
    assert (Path(told["folder"]) / "latest").readlink() == Path(told["newest"])
    return Path(told["folder"])


def read(folder: Path, table: str, columns: str = "*") -> list[dict[str, Any]]:
    files = f"{folder}/latest/{table}/**/*.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {columns} FROM read_parquet('{files}', hive_partitioning = true)"
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_the_copy_holds_what_the_api_says(server: OrthancServer) -> None:
    folder = copied(server)
    details = {one["id"]: one for one in server.details()}
    studies = {row["id"]: row for row in read(folder, "study")}
    assert studies.keys() == details.keys() and len(details) > 50
    for number, row in studies.items():
        detail = details[number]
        assert not {"patient_name", "patient_id", "patient_birth_date"} & row.keys()
        assert row["year"] == int(detail["study_date"][:4])
        for name in (
            "study_instance_uid",
            "modality",
            "dlp_total",
            "dap_total",
            "agd_left",
            "acquisition_protocols",
        ):
            if name in detail:
                assert row[name] == detail[name], name
    events = {
        "ct_event": "mean_ctdivol",
        "projection_event": "dap",
        "nm_administration": "administered_activity",
    }
    for table, value in events.items():
        for row in read(folder, table):
            assert row[value] == details[row["study_id"]]["events"][row["event_number"] - 1][value]
    told = sum(len(one["events"]) for one in details.values())
    assert sum(len(read(folder, table, "study_id")) for table in events) == told
    assert {row["id"] for row in read(folder, "equipment")} >= {
        one["equipment_id"] for one in details.values()
    }
    assert "content" not in read(folder, "object")[0]


def test_a_new_copy_takes_the_place_of_the_old_one_at_once(server: OrthancServer) -> None:
    before = (copied(server) / "latest").readlink()
    folder = copied(server, identity=True)
    assert {"patient_name", "patient_id"} <= read(folder, "study")[0].keys()
    last = (copied(server) / "latest").readlink()
    kept = {path.name for path in folder.iterdir()}
    assert last.name in kept and before.name not in kept and len(kept) == 3, (
        "the newest, the one before, and the link"
    )
    assert not list((server.dose_directory / "exports").glob("*.part*"))


def test_what_a_kill_left_of_a_copy_goes_and_the_newest_whole_one_stays(
    server: OrthancServer,
) -> None:
    folder, exports = copied(server), server.dose_directory / "exports"
    whole = (folder / "latest").readlink()
    server.kill()
    for left in (folder / ".dose-20260101-020000-9", exports / "9.part"):
        (left / "study").mkdir(parents=True)
        (left / "study" / "data_0.parquet").write_bytes(b"PAR1")
    server.start()
    assert (folder / "latest").readlink() == whole and len(read(folder, "study")) == len(
        server.studies()
    )
    assert not list(folder.glob(".dose-*")) and not list(exports.glob("*.part*"))


def test_it_is_made_once_switched_on(server: OrthancServer) -> None:
    def copies() -> int:
        return server.ok("/dose/api/tasks?kind=parquet-copy")["total"]

    before = copies()
    changed = {"parquet_copy_hour": 0, "parquet_copy": True}
    assert server.request("PUT", "/dose/api/settings", json=changed).status_code == 200
    server.stop()
    server.start()
    server.wait_for(lambda: copies() == before + 1, "the copy of this night")


@pytest.mark.parametrize(
    ("now", "hour", "last", "due"),
    [
        (datetime(2026, 3, 1, 1, 59), 2, "2026-02-28", False),
        (datetime(2026, 3, 1, 2, 0), 2, "2026-02-28", True),
        (datetime(2026, 3, 1, 23, 0), 2, "2026-03-01", False),
        (datetime(2026, 3, 1, 9, 0), 2, "2026-02-20", True),
        (datetime(2026, 3, 1, 9, 0), 2, None, True),
        (datetime(2026, 3, 1, 1, 0), 2, None, False),
    ],
)
def test_a_copy_is_due_once_a_day(now: datetime, hour: int, last: str | None, due: bool) -> None:
    assert is_due(now, hour, last) is due
