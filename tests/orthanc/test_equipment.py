"""Systems in a real server: the table, names, joins and their undoing, modality types of many, what
a system sends.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from orthanc_dose import samples
from orthanc_dose.records import MODALITIES, STUDY
from orthanc_dose.samples import make_studies
from tests.support.server import OrthancServer
from tests.support.systems import (
    API,
    by_software,
    content,
    post,
    put,
    report,
    reports,
    settled,
    systems,
)


def send(server: OrthancServer, *objects: Any) -> None:
    server.send(*objects)
    server.wait_until_idle()


def test_the_table_of_systems_and_the_gantry_that_tells_them_apart(server: OrthancServer) -> None:
    send(
        server,
        report("a", GantryID="G1"),
        report("b", GantryID="G1"),
        report("c", GantryID="G2"),
        report("d", GantryID=""),
    )
    rows = {row["gantry_id"]: row for row in systems(server)}
    assert {gantry: row["studies"] for gantry, row in rows.items()} == {"G1": 2, "G2": 1, None: 1}
    details = [row for row in server.details() if row["equipment"]["gantry_id"] == "G1"]
    assert len(details) == 2 and rows["G1"]["events"] == sum(
        row["number_of_events"] for row in details
    )
    assert rows["G1"]["first_study"] == rows["G1"]["last_study"] == "2025-03-14" and rows["G1"][
        "modalities"
    ] == ["CT"]
    assert (
        rows["G1"]["display_name"]
        == rows["G1"]["default_name"]
        == "Sample General Hospital SAMPLE1"
    )
    assert server.studies(gantry_id="g2", columns="gantry_id")[0]["gantry_id"] == "G2"
    assert [row["gantry_id"] for row in systems(server, "g1")] == ["G1"] and systems(
        server, "nothing"
    ) == []
    assert server.ok(f"{API}/equipment/{rows['G2']['id']}") == rows["G2"]
    assert server.get(f"{API}/equipment/99")[0] == 404
    assert server.get(f"{API}/equipment/x")[0] == 400


def test_a_name_stays_until_it_is_taken_back(server: OrthancServer) -> None:
    first, second, third = reports("a", SoftwareVersions="1")
    send(server, first, report("b", SoftwareVersions="2"))
    ids = [row["id"] for row in systems(server)]
    status, answer = put(
        server, "/equipment/display-name", {"ids": ids, "display_name": " CT in room 1 "}
    )
    assert status == 200 and {row["display_name"] for row in answer["systems"]} == {"CT in room 1"}
    send(server, second)
    server.restart()
    send(server, third, report("c", SoftwareVersions="3"))
    assert {row["software_versions"]: row["display_name"] for row in systems(server)} == {
        "1": "CT in room 1",
        "2": "CT in room 1",
        "3": "Sample General Hospital SAMPLE1",
    }
    assert {
        row["equipment_display_name"] for row in server.studies(display_name_is="ct in room 1")
    } == {"CT in room 1"}
    assert put(server, "/equipment/display-name", {"ids": [ids[0]], "display_name": ""})[0] == 200
    assert {row["id"]: row["display_name"] for row in systems(server)}[
        ids[0]
    ] == "Sample General Hospital SAMPLE1"
    for body, status in (
        ({"ids": [99], "display_name": "x"}, 404),
        ({"ids": [], "display_name": "x"}, 400),
        ({"ids": ids, "display_name": "a\nb"}, 400),
        ({"ids": ids, "display_name": None}, 400),
        ({"ids": ["1"], "display_name": "x"}, 400),
        ([], 400),
    ):
        assert put(server, "/equipment/display-name", body)[0] == status, body
    assert (
        put(server, "/equipment/display-name", {"ids": [ids[0]], "display_name": "Named"})[0] == 200
    )
    send(
        server,
        report(
            "d", SoftwareVersions=systems(server, "Named")[0]["software_versions"], GantryID="G1"
        ),
    )
    assert [row["gantry_id"] for row in systems(server, "Named")] == [None, "G1"], (
        "it is the same, with its gantry"
    )
    noted = [
        row["subject"] for row in server.ok(f"{API}/audit-log?action=systems%20named")["entries"]
    ]
    assert noted == [f"systems {ids[0]}", f"systems {ids[0]}", f"systems {ids[0]}, {ids[1]}"]


def test_systems_that_look_like_one_are_proposed(server: OrthancServer) -> None:
    send(
        server,
        report("a", SoftwareVersions="1"),
        report("b", SoftwareVersions="2"),
        report("c", SoftwareVersions="2"),
        report("d", SoftwareVersions="2", InstitutionalDepartmentName=""),
        report("e", SoftwareVersions="2", DeviceSerialNumber="another", StationName="OTHER"),
    )
    rows = {
        (row["software_versions"], row["institutional_department_name"]): row["id"]
        for row in systems(server)
        if row["device_serial_number"] != "another"
    }
    old, new, open_ = rows["1", "Radiology"], rows["2", "Radiology"], rows["2", None]
    found = {joins["field"]: joins for joins in server.ok(f"{API}/equipment/joins")["joins"]}
    assert set(found) == {"software_versions", "institutional_department_name"}
    by_version = found["software_versions"]
    assert sorted(by_version["ids"]) == sorted([old, new]) and by_version["into"] in (old, new)
    assert {row["value"]: row["studies"] for row in by_version["systems"]} == {"1": 1, "2": 2}
    empty = found["institutional_department_name"]
    assert (empty["ids"], empty["into"]) == ([open_, new], new)
    assert [row["value"] for row in empty["systems"]] == [None, "Radiology"]
    assert post(server, "/equipment/join", {"ids": [old, open_], "into": new})[0] == 200
    assert server.ok(f"{API}/equipment/joins")["joins"] == []


def counted(server: OrthancServer) -> dict[int, int]:
    """Studies by system, where they are counted for the overview; the same as the lists say."""
    summary = server.ok(f"{API}/summary")["modalities"]
    out = {
        row["equipment_id"]: row["studies"] for modality in summary for row in modality["systems"]
    }
    listed = [row["equipment_id"] for row in server.studies()]
    assert out == {number: listed.count(number) for number in listed}
    assert all(
        server.ok(f"{API}/studies/count?equipment_id={number}")["total"] == studies
        for number, studies in out.items()
    )
    return out


def test_a_join_holds_for_what_comes_later_and_can_be_undone(server: OrthancServer) -> None:
    first, second, third = reports("two", SoftwareVersions="1")
    send(server, report("one", SoftwareVersions="1"), first, report("three", SoftwareVersions="2"))
    rows = by_software(server)
    old, new = rows["1"]["id"], rows["2"]["id"]
    assert counted(server) == {old: 2, new: 1}
    status, answer = post(server, "/equipment/join", {"ids": [old], "into": new})
    assert status == 200 and answer["task_id"] is None
    assert counted(server) == {new: 3}
    assert [(row["id"], row["joined_into"], row["studies"]) for row in systems(server)] == [
        (new, None, 3),
        (old, new, 2),
    ]
    send(server, second, report("four", SoftwareVersions="1"))
    server.restart()
    send(server, third, report("five", SoftwareVersions="1"), report("six", SoftwareVersions="2"))
    assert counted(server) == {new: 6}
    status, again = post(server, "/reextract")
    settled(server, again)
    assert counted(server) == {new: 6}
    assert {row["software_versions"]: row["studies"] for row in systems(server)} == {"1": 4, "2": 6}
    # What was joined into it goes with a system that is joined itself.
    send(server, report("seven", SoftwareVersions="3"))
    last = by_software(server)["3"]["id"]
    for body, expected in (
        ({"ids": [old], "into": last}, 409),
        ({"ids": [last], "into": old}, 409),
        ({"ids": [new], "into": new}, 409),
        ({"ids": [99], "into": new}, 404),
    ):
        assert post(server, "/equipment/join", body)[0] == expected
    assert post(server, "/equipment/join", {"ids": [new], "into": last})[0] == 200
    assert counted(server) == {last: 7}
    assert post(server, f"/equipment/{new}/separate")[0] == 200
    assert counted(server) == {new: 6, last: 1}
    assert post(server, f"/equipment/{old}/separate")[0] == 200
    assert counted(server) == {old: 4, new: 2, last: 1}
    assert (
        post(server, f"/equipment/{old}/separate")[0] == 409
        and post(server, "/equipment/99/separate")[0] == 404
    )
    send(server, report("eight", SoftwareVersions="1"))
    server.restart()
    assert counted(server) == {old: 5, new: 2, last: 1}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_reports_of_one_study_under_two_names_belong_together_while_joined(
    server: OrthancServer, order: Any
) -> None:
    """Cumulative reports, the second of which another station name stands in: two records, and one
    while they are joined.
    """
    sent = reports("shared", "cumulative", SoftwareVersions="1")
    sent[1].StationName, sent[1].DeviceSerialNumber, sent[1].SoftwareVersions = "OTHER", "S-2", "2"
    send(
        server,
        [sent[number] for number in order[:2]],
        report("x", SoftwareVersions="1"),
        report("y", SoftwareVersions="2", StationName="OTHER", DeviceSerialNumber="S-2"),
    )
    rows = by_software(server)
    ids = {"ids": [rows["2"]["id"]], "into": rows["1"]["id"]}
    apart = content(server)
    assert post(server, "/equipment/join", ids)[0] == 200
    assert len(server.studies()) == 3
    assert post(server, f"/equipment/{rows['2']['id']}/separate")[0] == 200
    assert content(server) == apart
    assert post(server, "/equipment/join", ids)[0] == 200
    send(server, sent[order[2]])
    together = [
        row
        for row in server.details()
        if row["study_description"] == "Several reports" and len(row["objects"]) == 3
    ]
    assert [row["number_of_events"] for row in together] == [6], (
        "the last report holds all events, each once"
    )
    assert {row["outcome"] for row in together[0]["objects"]} == {"imported", "merged"}
    assert counted(server) == {rows["1"]["id"]: 3}
    assert post(server, f"/equipment/{rows['2']['id']}/separate")[0] == 200
    records = sorted(
        (row["equipment"]["software_versions"], row["number_of_events"])
        for row in server.details()
        if len(server.studies(study_instance_uid=row["study_instance_uid"])) == 2
    )
    assert records == [("1", 6), ("2", 3)]


def radiography(number: int, **system: str) -> Any:
    study = samples.Study(instance_uid=samples.uid("radiography", str(number)))
    made = samples.radiography_report(1, seed=number, key=f"r{number}", study=study)
    for name, value in system.items():
        setattr(made, name, value)
    return made


def test_many_systems_are_set_and_sorted_in_one_call(server: OrthancServer) -> None:
    send(server, [radiography(number, SoftwareVersions=str(number % 2)) for number in range(60)])
    ids = [row["id"] for row in systems(server)]
    assert len(ids) == 2 and {row["modality"] for row in server.studies()} == {"DX"}
    status, answer = put(server, "/equipment/modality", {"ids": ids, "modality": "RF"})
    assert status in (200, 202)
    task = settled(server, answer)
    assert (task["kind"], task["state"], task["done"], task["total"]) == (
        "sort-studies",
        "done",
        60,
        60,
    )
    assert task["result"] == {"changed": 60, "failed": 0}
    assert {row["modality"] for row in server.studies()} == {"RF"}
    assert {row["user_defined_modality"] for row in systems(server)} == {"RF"}
    assert [row["modalities"] for row in systems(server)] == [["RF"], ["RF"]]
    send(server, radiography(61, SoftwareVersions="1"))
    assert {row["modality"] for row in server.studies()} == {"RF"}
    settled(server, put(server, "/equipment/modality", {"ids": ids, "modality": "dual"})[1])
    task = settled(server, post(server, f"/equipment/{ids[0]}/sort")[1])
    assert task["state"] == "done" and task["result"]["changed"] == 0
    assert {row["modality"] for row in server.studies()} == {"DX"}
    assert put(server, "/equipment/modality", {"ids": [99], "modality": "RF"})[0] == 404
    assert put(server, "/equipment/modality", {"ids": ids, "modality": "CT"})[0] == 400
    assert post(server, "/equipment/99/sort")[0] == 404


def test_studies_of_joined_systems_go_by_what_is_set_for_the_one_that_has_them(
    server: OrthancServer,
) -> None:
    send(server, radiography(1, SoftwareVersions="1"), radiography(2, SoftwareVersions="2"))
    rows = by_software(server)
    old, new = rows["1"]["id"], rows["2"]["id"]
    settled(server, put(server, "/equipment/modality", {"ids": [new], "modality": "RF"})[1])
    assert sorted(row["modality"] for row in server.studies()) == ["DX", "RF"]
    settled(server, post(server, "/equipment/join", {"ids": [old], "into": new})[1])
    send(server, radiography(3, SoftwareVersions="1"))
    assert [row["modality"] for row in server.studies()] == ["RF"] * 3
    settled(server, post(server, f"/equipment/{old}/separate")[1])
    assert sorted(row["modality"] for row in server.studies()) == ["DX", "DX", "RF"]


def test_the_review_counts_what_the_studies_have(server: OrthancServer) -> None:
    send(server, make_studies(60, seed=5))
    details = server.details()
    system = max(
        {row["equipment_id"] for row in details}, key=[row["equipment_id"] for row in details].count
    )
    mine = [row for row in details if row["equipment_id"] == system]
    assert len(mine) > 3
    found = server.ok(f"{API}/equipment/{system}/review?limit=500")
    assert found["total"] == len(mine) == found["system"]["studies"]

    def filled(rows: list[dict[str, Any]], name: str) -> int:
        return sum(row[name] is not None and row[name] != "" and row[name] != [] for row in rows)

    assert {one["modality"] for one in found["filled"]} == {row["modality"] for row in mine}
    for one in found["filled"]:
        modality = MODALITIES[one["modality"]]
        studies = [row for row in mine if row["modality"] == one["modality"]]
        rows = {
            STUDY.name: studies,
            modality.events.name: [event for row in studies for event in row["events"]],
        }
        if modality.accumulated:
            rows[modality.accumulated.name] = [
                part for row in studies for part in row["accumulated"]
            ]
        tables = {table["table"]: table for table in one["tables"]}
        assert set(tables) == {name for name, there in rows.items() if there}
        for name, table in tables.items():
            assert table["rows"] == len(rows[name])
            asked = {field["field"]: field["filled"] for field in table["fields"]}
            assert asked == {field: filled(rows[name], field) for field in asked}, name
            assert len(asked) > 20
    by_id = {row["id"]: row for row in mine}
    listed = [row["id"] for row in server.studies(sort="-study_date") if row["id"] in by_id]
    assert [row["id"] for row in found["studies"]] == listed
    for row in found["studies"]:
        study = by_id[row["id"]]
        assert (row["events"], row["objects"], row["marks"]) == (
            len(study["events"]),
            len(study["objects"]),
            len(study["marks"] or ()),
        )
        assert (row["report"], row["images"]) == (True, False)
        given = (
            "dlp_total",
            "dap_total",
            "agd_left",
            "agd_right",
            "agd_unspecified",
            "administered_activity_total",
        )
        assert row["totals"] or not any(study.get(name) is not None for name in given)
    pages = [
        server.ok(f"{API}/equipment/{system}/review?limit=2&offset={at}")["studies"]
        for at in range(0, len(mine), 2)
    ]
    assert [row for page in pages for row in page] == found["studies"]
    assert server.get(f"{API}/equipment/99/review")[0] == 404
