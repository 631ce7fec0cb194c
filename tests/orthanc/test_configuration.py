"""What stops Orthanc's start: a configuration or a store that cannot be used, said in one line that
tells what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.samples import make_studies
from tests.support.server import PASSWORD, ROOT, OrthancServer, read_configuration


@pytest.fixture
def stopped() -> Iterator[OrthancServer]:
    server = OrthancServer()
    yield server
    server.close()


def refusal(server: OrthancServer) -> str:
    """Start a server that must not start: the one line of its log that says why."""
    server.launch()
    assert server.wait_for_exit() == 1, f"it ends with an error, without a crash\n{server.log}"
    lines = [line for line in server.log.splitlines() if "cannot start" in line]
    assert len(lines) == 1, server.log
    assert lines[0].startswith("E")
    assert PASSWORD not in server.log
    return lines[0]


CASES: dict[str, tuple[Any, list[str]]] = {
    "misspelt": (
        {"DataDirectoy": "x"},
        ['"DataDirectoy"', 'did you mean "DataDirectory"', "PollSeconds"],
    ),
    "another case": ({"batchsize": 5}, ['"batchsize"', "BatchSize"]),
    "unknown": ({"Wibble": True}, ['"Wibble"', "The settings are", "BatchSize"]),
    "text for a number": ({"BatchSize": "200"}, ["Dose.BatchSize", "whole number", "'200'"]),
    "fraction": ({"BatchSize": 1.5}, ["Dose.BatchSize", "whole number"]),
    "true for a number": ({"PollSeconds": True}, ["Dose.PollSeconds", "a number"]),
    "null": ({"PollSeconds": None}, ["Dose.PollSeconds", "a number", "null"]),
    "number for a switch": ({"AuditAtStart": 1}, ["Dose.AuditAtStart", "true or false"]),
    "list for a path": (
        {"DataDirectory": ["/tmp"]},
        ["Dose.DataDirectory", "a path as text", "a list"],
    ),
    "empty path": ({"DataDirectory": " "}, ["Dose.DataDirectory", "a path as text"]),
    "too small": ({"BatchSize": 0}, ["Dose.BatchSize", "from 1 to 5000"]),
    "too large": ({"BatchSize": 5001}, ["Dose.BatchSize", "from 1 to 5000"]),
    "too quick": ({"PollSeconds": 0}, ["Dose.PollSeconds", "from 0.2 to 3600"]),
    "a list": ([], ['"Dose" must be an object']),
    "a text": ("/var/lib/dose", ['"Dose" must be an object']),
    "a number": (5, ['"Dose" must be an object']),
    "wrong memory limit": ({"MemoryLimit": "much"}, ["Dose.MemoryLimit", '"2GB"', "much"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_setting_is_named(stopped: OrthancServer, case: str) -> None:
    stopped.dose, words = CASES[case]
    line = refusal(stopped)
    for word in words:
        assert word in line


def test_folder_that_cannot_be_written(stopped: OrthancServer) -> None:
    """Below a regular file: not even root can write there."""
    file = stopped.folder / "file"
    file.write_text("")
    stopped.dose = {"DataDirectory": str(file / "dose")}
    line = refusal(stopped)
    assert "Dose.DataDirectory" in line and str(file / "dose") in line and "Not a directory" in line


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="Linux only")
def test_folder_of_a_file_system_that_takes_no_files(stopped: OrthancServer) -> None:
    stopped.dose = {"DataDirectory": "/proc/dose"}
    assert "Dose.DataDirectory" in refusal(stopped)


def test_empty_password(stopped: OrthancServer) -> None:
    """As when orthanc.json is used and DOSE_PASSWORD is not set."""
    stopped._environment = {"DOSE_PASSWORD": ""}
    line = refusal(stopped)
    assert "RegisteredUsers" in line and '"dose"' in line


@pytest.mark.parametrize(("dose", "registered", "words"), [
    ({}, {}, ["no administrator", "RegisteredUsers"]),
    ({"OrthancUsers": {"dose": ["view"]}}, {"dose": PASSWORD}, ["no administrator"]),
    ({"OrthancUsers": {"anna": ["view"]}}, {"dose": PASSWORD}, ['"anna"', "RegisteredUsers"]),
    ({"OrthancUsers": {"dose": ["views"]}}, {"dose": PASSWORD}, ['"views"', "administration", "orthanc"]),
])  # fmt: skip
def test_somebody_must_be_able_to_come_in(
    stopped: OrthancServer, dose: dict[str, Any], registered: dict[str, str], words: list[str]
) -> None:
    stopped.dose, stopped.overrides = dose, {"RegisteredUsers": registered}
    line = refusal(stopped)
    assert all(word in line for word in words), line


def test_secrets_of_the_configuration_are_not_logged(stopped: OrthancServer) -> None:
    stopped.overrides = {"RegisteredUsers": {"dose": PASSWORD, "other": "another-secret-77"}}
    stopped.dose = {"Wibble": 1}
    refusal(stopped)
    assert "another-secret-77" not in stopped.log


def test_relative_folder_stands_from_the_configuration_file(stopped: OrthancServer) -> None:
    stopped.dose = {"DataDirectory": "beside/dose"}
    stopped.start()
    assert (stopped.folder / "beside" / "dose" / "dose.duckdb").is_file()


def test_all_settings_together(stopped: OrthancServer) -> None:
    stopped.dose = {
        "BatchSize": 1,
        "PollSeconds": 0.2,
        "AuditAtStart": False,
        "MemoryLimit": "512MB",
    }
    stopped.start()
    stopped.send(make_studies(2, kinds=["ct"]))
    stopped.wait_until_idle()
    assert len(stopped.studies()) == 2


def test_orthanc_json_says_the_defaults() -> None:
    """The commented-out settings of orthanc.json, uncommented, are those of the program."""
    from orthanc_dose.config import KEYS

    text = (ROOT / "orthanc.json").read_text()
    section = read_configuration({"DOSE_DATA": "data"})["Dose"]
    assert section == {"DataDirectory": "data/dose"}
    for key, field in KEYS.items():
        if key != "DataDirectory":
            default = field.default if field.default_factory is MISSING else field.default_factory()
            default = list(default) if isinstance(default, tuple) else default
            shown = f"{default:g}" if field.type in (int, float) else json.dumps(default)
            assert f'// "{key}": {shown},' in text, key


def test_store_that_cannot_be_used(stopped: OrthancServer) -> None:
    """A store of a later version, a damaged one: a message, and what is there stays as it is, to be
    rescued.
    """
    stopped.start()
    stopped.send(make_studies(5, kinds=["ct"]))
    stopped.wait_until_idle()
    assert stopped.stop() == 0
    path = stopped.dose_directory / "dose.duckdb"
    whole = path.read_bytes()

    with duckdb.connect(str(path)) as store:
        store.execute("UPDATE state SET value = '9999' WHERE name = 'schema_version'")
    later = path.read_bytes()
    line = refusal(stopped)
    assert "later version" in line and "9999" in line and str(path) in line
    assert path.read_bytes() == later

    for spoilt in (b"This is no database.\n" * 1000, bytes(len(whole)), whole[: len(whole) // 2]):
        path.write_bytes(spoilt)
        stopped.log_path.unlink()
        assert str(path) in refusal(stopped)
        assert path.read_bytes() == spoilt

    path.write_bytes(whole)
    stopped.start()
    assert len(stopped.studies()) == 5


def test_store_in_use_by_another_process(stopped: OrthancServer) -> None:
    with OrthancServer() as other:
        stopped.dose = {"DataDirectory": str(other.dose_directory)}
        line = refusal(stopped)
        assert str(other.dose_directory / "dose.duckdb") in line and "lock" in line
        assert other.status()["queue"]["state"] == "idle"
