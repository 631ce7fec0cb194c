"""Objects that are nested so deeply that Orthanc dies when it looks at them: refused at the door, by
whatever way they come; found and deleted where they came without the plugin. What Orthanc bears was
found by trying: 1.10.1 dies at 48 levels, 1.12.7 at 51."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_dose import samples
from tests.support.server import OrthancServer

# What kills every version of Orthanc that was tried.
FATAL = 200


def nested(levels: int, key: str, make: Any = samples.ct_slice, undefined: bool = False) -> bytes:
    """An object with sequences in one another, in explicit encoding (PS3.5 7.5.2), by hand: pydicom
    would nest its own calls."""
    dataset = make()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = samples.uid(key)
    value = b"\x08\x00\x00\x01SH\x02\x001 "
    for _ in range(levels):
        item = (0xFFFFFFFF, b"\xfe\xff\x0d\xe0\0\0\0\0") if undefined else (len(value), b"")
        value = b"\xfe\xff\x00\xe0" + struct.pack("<I", item[0]) + value + item[1]
        rest = (0xFFFFFFFF, b"\xfe\xff\xdd\xe0\0\0\0\0") if undefined else (len(value), b"")
        value = b"\x40\x00\x43\xa0SQ\0\0" + struct.pack("<I", rest[0]) + value + rest[1]
    if "PixelData" not in dataset:
        for element in dataset[0x00400000:]:
            del dataset[element.tag]
    raw = samples.part10(dataset)
    at = raw.index(b"\xe0\x7f\x10\x00OW") if "PixelData" in dataset else len(raw)
    return raw[:at] + value + raw[at:]


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server
        assert server.stop() == 0


def row_of(server: OrthancServer, key: str) -> dict[str, Any]:
    """The row of an object that was refused, once it is written."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = server.objects(sop_instance_uid=samples.uid(key))
        return bool(found)

    server.wait_for(is_there, "the outcome of a refused object")
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("way", ["REST", "DICOM"])
@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("make", [samples.ct_slice, lambda: samples.ct_report(1)])
def test_is_refused_by_whatever_way(
    server: OrthancServer, way: str, undefined: bool, make: Any
) -> None:
    key = f"{way} {undefined} {make.__name__}"
    raw = nested(FATAL, key, make, undefined)
    before = server.ok("/statistics")["CountInstances"]
    if way == "REST":
        assert server.upload(raw)[0] == 400
    else:
        assert server.send(raw, check=False) == 0  # storescu ends so; Orthanc's log says 0xA700
    row = row_of(server, key)
    assert (row["outcome"], row["rule"], row["in_orthanc"]) == ("failed", "nested", "refused")
    assert row["reason"].startswith(f"Sequences are nested {FATAL} levels deep")
    assert server.ok("/statistics")["CountInstances"] == before
    assert f"an object was refused: Sequences are nested {FATAL} levels deep" in server.log


@pytest.mark.parametrize("length", [0x100000, 0x2000002, 0x7FFFFFFE, 0xFFFFFFFE])
def test_a_file_whose_head_leads_out_of_it_is_refused(server: OrthancServer, length: int) -> None:
    """Without a plugin, Orthanc 1.10.1 reads beyond its memory and dies of each of them."""
    report = samples.ct_report(1, key=f"head {length}")
    raw = samples.part10(report)
    at = raw.index(b"\x02\x00\x01\x00OB\0\0") + 8
    assert server.upload(raw[:at] + struct.pack("<I", length) + raw[at + 4 :])[0] == 400
    server.wait_for(lambda: bool(server.objects(rule="broken_head")), "its outcome")


def test_nothing_that_is_refused_can_be_read_again(server: OrthancServer) -> None:
    key = "never stored"
    server.upload(nested(FATAL, key))
    row_of(server, key)
    status, answer = server.post(f"/dose/api/objects/{samples.uid(key)}/retry")
    assert (status, answer["error"]["code"]) == (409, "never_stored")
    assert server.post("/dose/api/objects/retry", {"outcome": "failed", "rule": "nested"})[1] == {
        "queued": 0
    }
    status, answer = server.delete(f"/dose/api/objects/{samples.uid(key)}")
    assert status == 200 and answer["deleted"] == 1
    assert not server.objects(sop_instance_uid=samples.uid(key))


def test_what_came_without_the_plugin_is_found_and_deleted() -> None:
    """By C-STORE Orthanc takes them; it must not be made to look at them, neither by the worker nor
    by deleting them."""
    with OrthancServer(plugin=False) as server:
        server.send(
            nested(FATAL, "image"), nested(FATAL, "report", lambda: samples.ct_report(1)),
            samples.ct_report(1, key="good"), nested(30, "bearable"),
        )  # fmt: skip
        assert server.ok("/statistics")["CountInstances"] == 4
        server.restart(plugin=True)

        def looked() -> bool:
            return server.ok("/dose/api/objects/find-nested")["state"] == "done"

        server.wait_for(looked, "the search for nested objects")
        server.wait_until_idle()
        found = server.ok("/dose/api/objects/find-nested")
        assert (found["in_orthanc"], found["refused"]) == (2, 0)
        rows = {row["sop_instance_uid"]: row for row in server.objects(rule="nested")}
        assert set(rows) == {samples.uid("image"), samples.uid("report")}
        assert all(f"nested {FATAL} levels deep" in row["reason"] for row in rows.values())
        # Reading them again says the same.
        server.post("/dose/api/objects/retry", {"outcome": "failed", "rule": "nested"})
        server.wait_until_idle()
        assert len(server.objects(outcome="failed", rule="nested")) == 2
        status, answer = server.post(
            "/dose/api/objects/delete", {"outcome": "failed", "rule": "nested"}
        )
        assert (status, answer["deleted"]) == (200, 2)
        assert server.ok("/statistics")["CountInstances"] == 2
        assert len(server.studies()) == 1
        # And once more by hand, over what is left.
        task = server.post("/dose/api/objects/find-nested")[1]["task_id"]
        server.wait_for(
            lambda: server.ok(f"/dose/api/tasks/{task}")["state"] == "done", "the second search"
        )
        assert server.ok(f"/dose/api/tasks/{task}")["result"] == {"found": 0, "kept": 0}
        assert server.stop() == 0
