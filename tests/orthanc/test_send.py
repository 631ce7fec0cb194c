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

from orthanc_dose import sendable
from orthanc_dose.samples import ct_report, ct_slice, make_studies, mammography_image, part10
from orthanc_dose.samples.hostile.lengths import with_item_length, with_length
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
    server: OrthancServer | str, *paths: Path | str, user: str = USER, **environment: str
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
    monkeypatch.setattr(sendable, "LARGEST_MEMBER", 5000)
    whole = part10(ct_slice(1))
    path = archive(
        tmp_path / "bomb.zip",
        {"small": whole, "large": whole + bytes(10_000), "other": bytes(10**6)},
    )
    found = {one.name.rsplit("/", 1)[1]: one for one in sendable.find_files([path])}
    assert found["small"].body == whole
    assert found["large"].body is None and "larger than 5,000 bytes" in (
        found["large"].problem or ""
    )
    assert found["other"] == sendable.Found(f"{path}/other")


def test_an_encrypted_archive(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("secret", part10(ct_slice(1)))
    raw = bytearray(buffer.getvalue())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + place] |= 1  # the flag of encryption, PKWARE's APPNOTE 4.4.4
    (tmp_path / "e.zip").write_bytes(raw)
    (found,) = sendable.find_files([tmp_path / "e.zip"])
    assert found.body is None and "cannot be unpacked" in (found.problem or "")


EXPOSURE_TIME, ANATOMY = b"\x18\x00\x50\x11IS", b"\x08\x00\x18\x22SQ"


def test_broken_objects_are_refused_with_an_offer_and_repaired_on_request(tmp_path: Path) -> None:
    images = [mammography_image(seed=400 + number) for number in range(4)]
    wholes = [part10(image) for image in images]
    files = {
        "a-exposure-time": with_length(wholes[0], EXPOSURE_TIME, 60_000),
        "b-cut-in-pixels": wholes[1][:-10],
        # Orthanc's answer to this one is 404, not 400.
        "c-item": with_item_length(wholes[2], ANATOMY, 0xFFF0),
        "d-patient-id": with_length(wholes[3], b"\x10\x00\x20\x00LO", 60_000),
        "e-report": part10(ct_report(events=3, seed=401))[:-1],
    }
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    lost = {
        "a-exposure-time": "Exposure Time (0018,1150)",
        "b-cut-in-pixels": "Pixel Data (7FE0,0010)",
        "c-item": "Anatomic Region Sequence (0008,2218)",
    }
    with OrthancServer() as server:
        refused = send(server, folder)
        assert refused.returncode == 1 and refused.stdout == "0 stored, 5 refused.\n"
        lines = dict(zip(files, refused.stderr.splitlines(), strict=True))
        assert "(truncated: element (0018,1150) has a declared length" in lines["a-exposure-time"]
        for name, words in lost.items():
            assert lines[name].endswith(f"; with --repair, a copy is sent that lacks {words}"), name
        assert "it cannot be repaired: the break costs Patient ID" in lines["d-patient-id"]
        assert "a part of a dose would be a wrong dose" in lines["e-report"]
        assert server.ok("/instances") == []

        repaired = send(server, "--repair", folder)
        assert repaired.returncode == 1
        assert repaired.stdout == "3 stored, 3 of them repaired, 2 refused.\n"
        said = dict(zip(files, repaired.stderr.splitlines(), strict=True))
        for name, words in lost.items():
            assert said[name].endswith(f"{name}: a repaired copy was sent, which lacks {words}")
            assert (folder / name).read_bytes() == files[name], "the file stays as it is"
        server.wait_until_idle()
        # What the makers wrote; dose values before and after the break are those of the image.
        details = [server.ok(f"/dose/api/studies/{row['id']}") for row in server.studies()]
        events = {row["study_instance_uid"]: row["events"] for row in details}
        assert set(events) == {str(image.StudyInstanceUID) for image in images[:3]}
        for image in images[:3]:
            (event,) = events[str(image.StudyInstanceUID)]
            assert event["average_glandular_dose"] == pytest.approx(float(image.OrganDose) * 100)
        (broken,) = events[str(images[0].StudyInstanceUID)]
        assert not broken["exposure_time"]

        # A repaired copy never replaces what the server has, in particular not the intact object.
        whole = tmp_path / "whole.dcm"
        whole.write_bytes(wholes[1])
        assert send(server, whole).returncode == 0
        again = send(server, "--repair", folder / "b-cut-in-pixels")
        assert (again.returncode, again.stdout) == (0, "0 stored, 1 there already.\n")
        found = server.request("POST", "/tools/lookup", data=str(images[1].SOPInstanceUID)).json()
        file = server.request("GET", f"/instances/{found[0]['ID']}/file")
        assert file.content == wholes[1]
