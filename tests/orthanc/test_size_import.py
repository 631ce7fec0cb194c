"""Heights and weights from CSV files in a real server: upload, preview, import, log, what stays,
and the command line.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.samples import make_studies
from orthanc_dose.sizes.files import LARGEST
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer
from tests.support.visitors import ask, guarded

CHOICE = {
    "identifier": 0,
    "height": 1,
    "weight": 2,
    "kind": "accession-number",
    "height_unit": "cm",
    "weight_unit": "kg",
    "overwrite": False,
}
HEADER = "Auftragsnummer;Größe (cm);Gewicht (kg)\r\n"


def sample_studies(count: int = 6, seed: int = 31) -> list[Any]:
    """Studies of CT whose reports say no height and no weight, but for the last one's."""
    made = list(make_studies(count, seed=seed, kinds=["ct"]))
    for study in made[:-1]:
        for dataset in study.datasets:
            del dataset.PatientSize, dataset.PatientWeight
    for dataset in made[-1].datasets:
        dataset.PatientSize, dataset.PatientWeight = "1.6", "55"
    return made


@pytest.fixture
def filled(server: OrthancServer) -> OrthancServer:
    server.send(sample_studies())
    server.wait_until_idle()
    return server


NUMBERS = [str(study.datasets[0].AccessionNumber) for study in sample_studies()]


def studies(server: OrthancServer) -> list[dict[str, Any]]:
    """The studies in the order of NUMBERS."""
    rows = {
        row["accession_number"]: row
        for row in server.studies(columns="accession_number,patient_size,patient_weight")
    }
    return [rows[number] for number in NUMBERS]


def upload(
    server: OrthancServer, text: str, name: str = "sizes.csv", encoding: str = "utf-8"
) -> dict[str, Any]:
    answer = server.request(
        "POST", "/dose/api/size-imports", data=text.encode(encoding), headers={"X-File-Name": name}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def start(server: OrthancServer, file: int, **choice: Any) -> int:
    status, answer = server.post(f"/dose/api/size-imports/{file}/start", CHOICE | choice)
    assert status == 202, answer
    return int(answer["task_id"])


def run(server: OrthancServer, text: str, **choice: Any) -> dict[str, Any]:
    """The finished task of an import."""
    return finished(server, start(server, upload(server, text)["id"], **choice))


def finished(server: OrthancServer, task: int) -> dict[str, Any]:
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{task}")["state"] not in ("waiting", "running"),
        "the import",
    )
    return server.ok(f"/dose/api/tasks/{task}")


def log(server: OrthancServer, task: int) -> list[tuple[int, str, int | None]]:
    lines = server.ok(f"/dose/api/tasks/{task}/log?limit=500")["lines"]
    return [(row["line"], row["outcome"], row["study_id"]) for row in lines]


def sizes(server: OrthancServer) -> list[tuple[float | None, float | None]]:
    return [(row["patient_size"], row["patient_weight"]) for row in studies(server)]


def test_an_import_from_upload_to_log(filled: OrthancServer) -> None:
    first, second, third, *_, last = NUMBERS
    ids = [row["id"] for row in studies(filled)]
    lines = [
        f"{first};175,5;80,5",
        f"{last};170;70",
        f" {second} ;1,75 m;",
        "nobody;170;70",
        f"{third};999;",
    ]
    text = HEADER + "\r\n".join(lines)
    found = upload(filled, text, "Gr%C3%B6%C3%9Fen%2F..%2Fx.csv", "cp1252")
    assert (found["encoding"], found["delimiter"]) == ("cp1252", ";") and "name" not in found
    assert found["columns"] == ["Auftragsnummer", "Größe (cm)", "Gewicht (kg)"]
    assert found["guess"] == {
        "identifier": 0,
        "height": 1,
        "weight": 2,
        "kind": "accession-number",
        "height_unit": "cm",
        "height_unit_by": "header",
        "weight_unit": "kg",
    }
    assert [row["line"] for row in found["rows"]] == [2, 3, 4, 5, 6]
    assert found["rows"][0]["cells"] == [first, "175,5", "80,5"]

    status, preview = filled.post(f"/dose/api/size-imports/{found['id']}/preview", CHOICE)
    assert status == 200
    outcomes = ["inserted", "there already", "inserted", "no study", "bad value"]
    assert [row["outcome"] for row in preview["rows"]] == outcomes
    assert (
        preview["rows"][0]["height"],
        preview["rows"][0]["weight"],
        preview["rows"][0]["study_id"],
    ) == (1.755, 80.5, ids[0])
    assert sizes(filled) == [(None, None)] * 5 + [(1.6, 55)], "looking changes nothing"

    task = finished(filled, start(filled, found["id"]))
    assert (task["state"], task["done"], task["total"], task["subject"]) == (
        "done",
        5,
        5,
        f"file {found['id']}",
    )
    assert {name: count for name, count in task["result"].items() if count} == Counter(outcomes)
    assert log(filled, task["id"]) == [
        (2, "inserted", ids[0]),
        (3, "there already", ids[5]),
        (4, "inserted", ids[1]),
        (5, "no study", None),
        (6, "bad value", None),
    ]
    assert sizes(filled) == [(1.755, 80.5), (1.75, None)] + [(None, None)] * 3 + [(1.6, 55)]
    detail = filled.ok(f"/dose/api/studies/{ids[0]}")
    assert [
        (one["field"], one["mark"]) for one in detail["marks"] if one["mark"] == "from_size_import"
    ] == [("patient_size", "from_size_import"), ("patient_weight", "from_size_import")]
    assert {row["id"] for row in filled.studies(mark="from_size_import")} == set(ids[:2])
    assert filled.ok("/dose/api/tasks?kind=import-sizes")["tasks"] == [task]
    assert list((filled.dose_directory / "imports").iterdir()) == [], "the file is gone"
    assert filled.post(f"/dose/api/size-imports/{found['id']}/start", CHOICE)[0] == 404

    again = run(filled, text.replace("1,75 m", "1,75"), height_unit="m")
    assert again["result"]["inserted"] == 0


def test_overwriting_is_asked_for_and_then_stays(filled: OrthancServer) -> None:
    number = NUMBERS[5]
    assert run(filled, HEADER + f"{number};170;70\n")["result"]["there already"] == 1
    assert sizes(filled)[5] == (1.6, 55)
    assert run(filled, HEADER + f"{number};170;70\n", overwrite=True)["result"]["overwritten"] == 1
    assert sizes(filled)[5] == (1.7, 70)


def test_what_was_imported_survives_new_objects_reading_again_and_a_restart(
    filled: OrthancServer,
) -> None:
    run(filled, HEADER + "".join(f"{number};170;70\n" for number in NUMBERS), overwrite=True)
    assert sizes(filled) == [(1.7, 70)] * 6
    filled.restart(overrides={"OverwriteInstances": True})
    attempts = [row["attempts"] for row in filled.objects()]
    filled.send(sample_studies())
    filled.wait_until_idle()
    assert min(row["attempts"] for row in filled.objects()) > max(attempts), "they were read anew"
    assert sizes(filled) == [(1.7, 70)] * 6
    status, answer = filled.post("/dose/api/reextract")
    assert status == 202
    again = finished(filled, answer["task_id"])
    assert (again["state"], again["result"]["changed"]) == ("done", 0)
    assert sizes(filled) == [(1.7, 70)] * 6
    # The object's own value comes for what a file had filled in.
    own = sample_studies()[0]
    for dataset in own.datasets:
        dataset.PatientSize = "1.5"
    filled.send(own)
    filled.wait_until_idle()
    assert sizes(filled)[0] == (1.5, 70)


def test_the_size_goes_with_a_study_that_is_deleted(filled: OrthancServer) -> None:
    run(filled, HEADER + "".join(f"{number};170;70\n" for number in NUMBERS[:2]))
    gone = studies(filled)[0]["id"]
    objects = filled.ok(f"/dose/api/studies/{gone}")["objects"]
    assert filled.post(f"/dose/api/studies/{gone}/delete")[0] == 200
    for row in objects:
        assert filled.post(f"/dose/api/objects/{row['sop_instance_uid']}/retry")[0] == 200
    assert sizes(filled)[:2] == [(None, None), (1.7, 70)]


def test_a_kill_and_an_abort_in_the_middle(filled: OrthancServer) -> None:
    # Enough lines for several steps; the studies stand at the beginning and at the end.
    lines = (
        [f"{NUMBERS[0]};170;70"]
        + [f"nobody-{at};170;70" for at in range(300_000)]
        + [f"{NUMBERS[1]};171;71"]
    )
    text = HEADER + "\n".join(lines) + "\n"
    task = start(filled, upload(filled, text)["id"])
    filled.wait_for(lambda: filled.ok(f"/dose/api/tasks/{task}")["done"] > 0, "the first lines")
    filled.kill()
    filled.start()
    done = finished(filled, task)
    assert (done["state"], done["done"], done["total"]) == ("done", 300_002, 300_002)
    assert {name: count for name, count in done["result"].items() if count} == {
        "inserted": 2,
        "no study": 300_000,
    }
    assert filled.ok(f"/dose/api/tasks/{task}/log?outcome=inserted")["total"] == 2
    assert sizes(filled)[:2] == [(1.7, 70), (1.71, 71)]

    task = start(
        filled,
        upload(filled, text.replace(";170;70", ";160;60").replace(";171;71", ";161;61"))["id"],
        overwrite=True,
    )
    filled.wait_for(lambda: filled.ok(f"/dose/api/tasks/{task}")["done"] > 0, "the first lines")
    status, _ = filled.post(f"/dose/api/tasks/{task}/stop")
    stopped = finished(filled, task)
    if status != 409:
        assert stopped["state"] == "stopped" and stopped["done"] < 300_002
        assert sizes(filled)[:2] == [(1.6, 60), (1.71, 71)], "what it did stays"
    assert list((filled.dose_directory / "imports").iterdir()) == []
    assert filled.stop() == 0
    with duckdb.connect(str(filled.dose_directory / "dose.duckdb"), read_only=True) as store:
        twice = "SELECT study_instance_uid FROM patient_size GROUP BY ALL HAVING count(*) > 1"
        assert store.execute(twice).fetchall() == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"", "column names"), (b"PK\x03\x04...", "workbook"), (b"one\n1\n", "column names")],
)
def test_a_file_that_is_no_table_is_refused_and_not_kept(
    shared_server: OrthancServer, raw: bytes, words: str
) -> None:
    status, answer = shared_server.post("/dose/api/size-imports", raw)
    assert (status, answer["error"]["code"]) == (400, "not_a_table") and words in answer["error"][
        "message"
    ]
    assert list((shared_server.dose_directory / "imports").iterdir()) == []


def test_a_file_that_is_too_large_is_refused_with_the_limit(shared_server: OrthancServer) -> None:
    status, answer = shared_server.post(
        "/dose/api/size-imports", b"a;b\n" + b"1;2\n" * (LARGEST // 4)
    )
    assert (status, answer["error"]["code"]) == (413, "too_large") and f"{LARGEST:,}" in answer[
        "error"
    ]["message"]


@pytest.mark.parametrize(("change", "status", "field"), [
    ({"identifier": None}, 400, "identifier"), ({"height": 3}, 404, "height"), ({"weight": -1}, 404, "weight"),
    ({"height": None, "weight": None}, 409, None), ({"height": 0}, 409, None), ({"kind": "name"}, 400, "kind"),
    ({"height_unit": "in"}, 400, "height_unit"), ({"weight_unit": "lb"}, 400, "weight_unit"), ({"height": True}, 400, "height"),
    ({"overwrite": "yes"}, 400, "overwrite"), ({"dry_run": 1}, 400, "dry_run"), ({"more": 1}, 400, "more"),
    ({"height": 1.5}, 400, "height"),
])  # fmt: skip
def test_a_wrong_choice_is_refused(
    shared_server: OrthancServer, change: dict[str, Any], status: int, field: str | None
) -> None:
    file = upload(shared_server, HEADER + "1;170;70\n")["id"]
    found, answer = shared_server.post(f"/dose/api/size-imports/{file}/start", CHOICE | change)
    assert (found, answer["error"]["field"]) == (status, field)
    assert shared_server.delete(f"/dose/api/size-imports/{file}") == (200, {"deleted": True})


def test_a_file_is_its_users_own() -> None:
    with guarded() as server:
        answer = ask(
            server, "POST", "/dose/api/size-imports", "only import sizes", data=b"a;b\n1;2\n"
        )
        assert answer.status_code == 200
        place = f"/dose/api/size-imports/{answer.json()['id']}"
        for method, path in (
            ("POST", f"{place}/preview"),
            ("POST", f"{place}/start"),
            ("DELETE", place),
        ):
            body = {"json": CHOICE | {"weight": None}} if method == "POST" else {}
            assert ask(server, method, path, USER, **body).status_code == 404
        assert (
            ask(
                server,
                "POST",
                f"{place}/preview",
                "only import sizes",
                json=CHOICE | {"weight": None},
            ).status_code
            == 200
        )


def command(server: OrthancServer, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DOSE_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT / "plugin"),
        "NO_PROXY": "127.0.0.1",
    }
    line = [
        sys.executable,
        "-m",
        "orthanc_dose.cli",
        "import-sizes",
        *map(str, arguments),
        "--url",
        server.url,
        "--user",
        USER,
    ]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)


def test_the_command_line(filled: OrthancServer, tmp_path: Path) -> None:
    file = tmp_path / "größen.csv"
    file.write_text(
        f"nr,size,mass\n{NUMBERS[0]},1.75,80\n{NUMBERS[5]},1.7,\nnobody,1.7,70\n", "utf-8"
    )
    columns = (file, "--identifier", "NR", "--height", "size", "--weight", "3")
    trial = command(filled, *columns, "--dry-run", "--overwrite")
    assert trial.returncode == 0, trial.stderr
    assert sizes(filled)[0] == (None, None)
    done = command(filled, *columns, "--overwrite")
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    for outcome, count in (("inserted:", 1), ("overwritten:", 1), ("study:", 1)):
        assert words[words.index(outcome) + 1] == str(count)
        assert outcome in trial.stdout
    assert sizes(filled)[0] == (1.75, 80) and sizes(filled)[5] == (1.7, 55)
    assert list((filled.dose_directory / "imports").iterdir()) == []


@pytest.mark.parametrize(("arguments", "words"), [
    (("--identifier", "nr", "--height", "length"), "has no such column"), (("--identifier", "nr"), "--height COLUMN"),
    (("--identifier", "nr", "--height", "size"), "--height-unit"),
    (("--identifier", "9", "--height", "size"), "has no such column"),
])  # fmt: skip
def test_the_command_line_says_what_is_missing(
    shared_server: OrthancServer, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("nr;size\n1;1.75\n2;175\n")
    done = command(shared_server, file, *arguments)
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
    assert list((shared_server.dose_directory / "imports").iterdir()) == []
