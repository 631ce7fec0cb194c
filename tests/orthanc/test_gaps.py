"""What a PACS has and we have not, and why: every reason, over DICOM, by the API and the
command.
"""

from __future__ import annotations

from typing import Any

from pydicom.sequence import Sequence

from orthanc_dose import samples
from orthanc_dose.retrieve.gaps import WHY
from tests.orthanc.test_retrieval import command, pair, run
from tests.orthanc.test_searches import DAY, _study, found
from tests.support.server import OrthancServer, _free_ports

__all__ = ["pair"]  # the two servers, and what the PACS holds: studies 1 to 4 of one day, and a PET
NEXT_DAY = "2026-03-03"


def report(number: int, day: str = DAY, empty: bool = False) -> list[Any]:
    """A study with a dose report and a slice."""
    made, image = samples.ct_report(1, key=f"gap {number}"), samples.ct_slice(8000 + number)
    if empty:
        made.ContentSequence = Sequence()
    objects = _study(number, made, image)
    made.StudyDate = image.StudyDate = day.replace("-", "")
    return objects


def search(server: OrthancServer, first: str = DAY, last: str = DAY, **more: Any) -> dict[str, Any]:
    return run(
        server, "/nodes/archive/searches", {"first": first, "last": last, "groups": ["CT"]} | more
    )


def gaps(server: OrthancServer, of: int, **query: Any) -> Any:
    answer = server.request("GET", f"/dose/api/searches/{of}/gaps", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def lose(pacs: OrthancServer, number: int) -> None:
    known = pacs.post("/tools/lookup", f"1.2.826.0.1.{number}".encode())[1]
    [study] = [one["ID"] for one in known if one["Type"] == "Study"]
    assert pacs.delete(f"/studies/{study}")[0] == 200


def test_every_reason(pair: Any) -> None:
    pacs, server = pair
    # 1 to 4 come. 5 is ticked off, 6 is lost before it is fetched, 8 is sent elsewhere, 17 is a
    # report without content.
    for number in (5, 6, 8):
        pacs.send(report(number))
    without_content = report(17, empty=True)
    pacs.send(without_content)
    asked = search(server)
    lines = {
        line["study_instance_uid"].rpartition(".")[2]: line["line"]
        for line in found(server, asked, kept="yes")
    }
    assert set(lines) == {"1", "2", "3", "4", "5", "6", "17", "8"}
    off = {"lines": [lines["5"], lines["8"]], "chosen": False}
    assert server.request("PUT", f"/dose/api/searches/{asked['id']}/chosen", json=off).json() == {
        "changed": 2
    }
    lose(pacs, 6)
    first = run(server, f"/searches/{asked['id']}/retrieve")
    assert (first["result"]["failed"], first["result"]["arrived"]) == (1, 5)
    pacs.send(report(6))
    elsewhere = search(server, descriptions_keep=["Study 8"])
    pacs.request(
        "PUT",
        "/modalities/itself",
        json={"AET": "PACS", "Host": "127.0.0.1", "Port": pacs.dicom_port},
    )
    assert (
        server.request("PUT", "/dose/api/nodes/archive", json={"destination": "PACS"}).status_code
        == 200
    )
    try:
        assert run(server, f"/searches/{elsewhere['id']}/retrieve")["result"]["missing"] == 1
    finally:
        server.request("PUT", "/dose/api/nodes/archive", json={"destination": ""})
    pacs.send(report(9, NEXT_DAY))
    looked = search(server, NEXT_DAY, NEXT_DAY)
    # 10 has no report; 11 came after all other searches.
    pacs.send(_study(10, *(samples.ct_slice(9000 + n) for n in range(7))))
    pacs.send(report(11))

    check = search(server, DAY, NEXT_DAY)
    [of_17] = server.ok(f"/dose/api/objects?sop_instance_uid={without_content[0].SOPInstanceUID}")[
        "objects"
    ]
    assert of_17["outcome"] in ("ignored", "failed") and of_17["reason"]
    told = gaps(server, check["id"])
    by_study = {gap["study_instance_uid"].rpartition(".")[2]: gap for gap in told["gaps"]}
    assert {
        number: (gap["why"], gap["reason"], gap["fault"], gap["search"])
        for number, gap in by_study.items()
    } == {
        "10": ("rule", "no_report", None, None),
        "5": ("ticked_off", None, None, asked["id"]),
        "6": ("failed", None, "The node no longer has it.", asked["id"]),
        "8": ("not_arrived", None, None, elsewhere["id"]),
        "17": ("not_imported", of_17["outcome"], of_17["reason"], asked["id"]),
        "9": ("not_fetched", None, None, looked["id"]),
        "11": ("never_asked", None, None, None),
    }
    assert told["total"] == 7 and told["why"] == dict.fromkeys(WHY, 1) == check["result"]["gaps"]
    assert (
        by_study["9"]["study_date"] == "20260303"
        and by_study["9"]["study_description"] == "Study 9"
    )
    assert [gap["study_instance_uid"] for gap in gaps(server, check["id"], why="rule")["gaps"]] == [
        "1.2.826.0.1.10"
    ]
    assert gaps(server, check["id"], limit=2, offset=6)["gaps"] == told["gaps"][6:]
    assert (
        server.request("GET", f"/dose/api/searches/{check['id']}/gaps?why=moon").status_code == 400
    )

    # The command asks anew: what this search found counts as found before.
    done = command(server, "archive", "--ct", "--from", DAY, "--to", NEXT_DAY, "--gaps")
    assert done.returncode == 0 and "7 studies of the node are not in the store." in done.stdout, (
        done.stdout + done.stderr
    )
    assert "  not_fetched: 2" in done.stdout and "never_asked" not in done.stdout
    assert (
        f"20260302; Study 11; 1.2.826.0.1.11; not_fetched; search {check['id']}"
        in done.stdout.splitlines()
    )
    assert (
        f"20260302; Study 5; 1.2.826.0.1.5; ticked_off; search {asked['id']}"
        in done.stdout.splitlines()
    )

    # What came since is no gap any more.
    assert run(server, f"/searches/{check['id']}/retrieve")["result"]["imported"] == 5
    later = gaps(server, check["id"])
    assert later["why"] == {"rule": 1, "not_imported": 1} and later["total"] == 2


def test_a_search_that_did_not_come_to_its_end_knows_no_gaps(pair: Any) -> None:
    _, server = pair
    server.request(
        "PUT",
        "/dose/api/nodes/away",
        json={"aet": "AWAY", "host": "127.0.0.1", "port": _free_ports(1)[0]},
    )
    failed = run(server, "/nodes/away/searches", {"groups": ["CT"]})
    assert failed["state"] == "failed" and "gaps" not in failed["result"]
    answer = server.request("GET", f"/dose/api/searches/{failed['id']}/gaps")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_finished")
    assert server.request("GET", "/dose/api/searches/999999/gaps").status_code == 404
