"""`orthanc-dose send` against a real Orthanc: files, folders, archives, and what is refused."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc_dose import sending
from orthanc_dose.samples import ct_slice, make_studies, part10
from tests.support.expect import check_studies
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer


@pytest.fixture(scope="module")
def shared() -> Iterator[OrthancServer]:
    registered = {USER: PASSWORD, "viewer": "password of viewer"}
    with OrthancServer(
        dose={"OrthancUsers": {"viewer": ["view"]}},
        overrides={"RegisteredUsers": registered, "OverwriteInstances": False},
    ) as server:
        yield server


def send(
    server: OrthancServer | str, *paths: Path, user: str = USER, **environment: str
) -> subprocess.CompletedProcess[str]:
    url = server if isinstance(server, str) else server.url
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DOSE_")}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "orthanc_dose.cli",
            "send",
            "--url",
            url,
            "--user",
            user,
            *map(str, paths),
        ],
        cwd=ROOT,
        env=plain | {"DOSE_PASSWORD": PASSWORD, "PYTHONPATH": "plugin"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members.items():
            file.writestr(name, raw)
    return path


def test_files_folders_and_archives(shared: OrthancServer, tmp_path: Path) -> None:
    samples = list(make_studies(6, seed=71, kinds=["ct", "dx"]))
    raws = [part10(dataset) for sample in samples for dataset in sample.datasets]
    below = tmp_path / "folder" / "below\n\x1b[31m"
    below.mkdir(parents=True)
    (tmp_path / "folder" / "a.dcm").write_bytes(raws[0])
    (below / "no suffix").write_bytes(raws[1])
    (below / "notes.txt").write_text("no DICOM")
    (below / "DICOMDIR").write_bytes(raws[0])
    (tmp_path / "single").write_bytes(raws[2])
    members = {
        "x/1": raws[3],
        "../../2": raws[4],
        "readme": b"no DICOM",
        "1": raws[3],
        "3": raws[5],
    }
    zipped = archive(tmp_path / "all.zip", members)
    done = send(shared, tmp_path / "folder", tmp_path / "single", zipped)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "6 stored, 1 there already, 3 without DICOM skipped.\n"
    shared.wait_until_idle()
    check_studies(shared.studies(), samples)
    assert not list(tmp_path.parent.glob("2")), "nothing is unpacked to the disk"


def test_what_cannot_be_sent_is_named(shared: OrthancServer, tmp_path: Path) -> None:
    whole = part10(ct_slice(1, seed=72))
    (tmp_path / "a-broken.dcm").write_bytes(whole[:140] + b"nothing of DICOM")
    (tmp_path / "b-whole.dcm").write_bytes(whole)
    spoilt = bytearray(
        archive(tmp_path / "c.zip", {"in/it": part10(ct_slice(2, seed=72))}).read_bytes()
    )
    spoilt[60] ^= 0xFF  # within what is packed
    (tmp_path / "c.zip").write_bytes(spoilt)
    (tmp_path / "d.zip").write_bytes(b"PK\x03\x04 no archive" + bytes(200))
    done = send(shared, tmp_path, tmp_path / "missing.dcm")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line.split(": ")[0].removeprefix(f"{tmp_path}/") for line in lines] == [
        "a-broken.dcm",
        "c.zip/in/it",
        "d.zip",
        "missing.dcm",
    ]
    assert (
        "refused by Orthanc" in lines[0]
        and "cannot be unpacked" in lines[1]
        and "archive cannot be read" in lines[2]
    )
    assert "cannot be read: No such file" in lines[3]
    assert done.stdout == "1 stored, 4 refused.\n"


def test_nothing_to_send(shared: OrthancServer, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no DICOM")
    done = send(shared, tmp_path)
    assert (done.returncode, done.stdout) == (1, "0 stored, 1 without DICOM skipped.\n")


def test_who_may_not_send(shared: OrthancServer, tmp_path: Path) -> None:
    (tmp_path / "one.dcm").write_bytes(part10(ct_slice(3, seed=72)))
    wrong = send(shared, tmp_path, DOSE_PASSWORD="wrong")
    assert wrong.returncode == 1 and "password" in wrong.stderr
    viewer = send(shared, tmp_path, user="viewer", DOSE_PASSWORD="password of viewer")
    assert viewer.returncode == 1 and '"orthanc"' in viewer.stderr and viewer.stdout == ""
    nobody = send("http://127.0.0.1:9", tmp_path)
    assert (
        nobody.returncode == 1
        and "Check the address and whether Orthanc is running." in nobody.stderr
    )
    nonsense = send("http://127.0.0.1:port", tmp_path)
    assert (
        nonsense.returncode == 1
        and "port" in nonsense.stderr
        and "Traceback" not in nonsense.stderr
    )


def test_a_token_is_refused_in_words(shared: OrthancServer, tmp_path: Path) -> None:
    (tmp_path / "one.dcm").write_bytes(part10(ct_slice(4, seed=72)))
    status, made = shared.post("/dose/api/tokens", {"name": "sender"})
    assert status == 200, made
    done = send(shared, tmp_path, DOSE_TOKEN=made["secret"])
    assert (
        done.returncode == 1
        and "does not accept a token" in done.stderr
        and made["secret"] not in done.stderr
    )


def test_where_orthanc_itself_asks_who_it_is(tmp_path: Path) -> None:
    (tmp_path / "one.dcm").write_bytes(part10(ct_slice(4, seed=72)))
    with OrthancServer(overrides={"AuthenticationEnabled": True}) as server:
        assert "does not accept a token" in send(server, tmp_path, DOSE_TOKEN="dose_any").stderr
        assert "does not accept" in send(server, tmp_path, DOSE_PASSWORD="wrong").stderr
        assert send(server, tmp_path).stdout == "1 stored.\n"


def test_dropped_objects_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "one.dcm").write_bytes(part10(ct_slice(1, seed=73)))
    with OrthancServer(dose={"UnmatchedInOrthanc": "drop"}) as server:
        done = send(server, tmp_path)
        assert (done.returncode, done.stdout) == (0, "0 stored, 1 dropped by the server's rules.\n")
        assert server.ok("/instances") == []


def test_a_member_that_unpacks_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LARGEST_MEMBER", 5000)
    whole = part10(ct_slice(1))
    path = archive(
        tmp_path / "bomb.zip",
        {"small": whole, "large": whole + bytes(10_000), "other": bytes(10**6)},
    )
    found = {one.name.rsplit("/", 1)[1]: one for one in sending.find_files([path])}
    assert found["small"].body == whole
    assert found["large"].body is None and "larger than 5,000 bytes" in (
        found["large"].problem or ""
    )
    assert found["other"] == sending.Found(f"{path}/other")


def test_an_encrypted_archive(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("secret", part10(ct_slice(1)))
    raw = bytearray(buffer.getvalue())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + place] |= 1  # the flag of encryption, PKWARE's APPNOTE 4.4.4
    (tmp_path / "e.zip").write_bytes(raw)
    (found,) = sending.find_files([tmp_path / "e.zip"])
    assert found.body is None and "cannot be unpacked" in (found.problem or "")
