"""Remote nodes of a real Orthanc: which there are, whether they answer, who may change them, and
that they stay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as MOVE  # type: ignore[attr-defined]
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from orthanc_dose.rest.api import ROUTES
from tests.support.server import OrthancServer, _free_ports


@pytest.fixture(scope="module")
def pacs() -> Iterator[OrthancServer]:
    overrides = {
        "DicomModalities": {"us": ["OURS", "127.0.0.1", 1]},
        "DicomAet": "PACS",
        "DicomCheckCalledAet": True,
    }
    with OrthancServer(plugin=False, overrides=overrides) as running:
        yield running


@pytest.fixture(scope="module")
def server(pacs: OrthancServer) -> Iterator[OrthancServer]:
    modalities = {
        "archive": ["PACS", "127.0.0.1", pacs.dicom_port],
        "gone": ["GONE", "127.0.0.1", _free_ports(1)[0]],
        "wrong": ["OTHER", "127.0.0.1", pacs.dicom_port],
    }
    with OrthancServer(overrides={"DicomModalities": modalities, "DicomAet": "OURS"}) as running:
        yield running


def nodes(server: OrthancServer) -> dict[str, Any]:
    return {node["name"]: node for node in server.ok("/dose/api/nodes")["nodes"]}


def put(server: OrthancServer, name: str, **body: Any) -> tuple[int, Any]:
    answer = server.request("PUT", f"/dose/api/nodes/{name}", json=body)
    return answer.status_code, answer.json()


def test_nodes_of_the_configuration_answer_or_say_why_not(
    server: OrthancServer, pacs: OrthancServer
) -> None:
    listed = nodes(server)
    assert [(name, node["aet"], node["added"]) for name, node in listed.items()] == [
        ("archive", "PACS", False),
        ("gone", "GONE", False),
        ("wrong", "OTHER", False),
    ]
    assert (
        listed["archive"]["port"] == pacs.dicom_port
        and server.ok("/dose/api/nodes")["own_aet"] == "OURS"
    )

    def echo(name: str) -> Any:
        answer = server.request("POST", f"/dose/api/nodes/{name}/echo", json={})
        assert answer.status_code == 200
        return answer.json()

    assert echo("archive")["answers"] and echo("archive")["reason"] is None
    assert not echo("gone")["answers"] and "connection refused" in echo("gone")["reason"]
    assert not echo("wrong")["answers"] and "rejected the association" in echo("wrong")["reason"]
    assert server.request("POST", "/dose/api/nodes/nobody/echo", json={}).status_code == 404


def test_a_node_is_added_stays_and_is_removed(server: OrthancServer, pacs: OrthancServer) -> None:
    status, made = put(
        server,
        "added",
        aet="PACS",
        host="127.0.0.1",
        port=pacs.dicom_port,
        title="The <archive>",
        seconds=5,
    )
    assert status == 200 and made == {
        "name": "added", "aet": "PACS", "host": "127.0.0.1", "port": pacs.dicom_port, "title": "The <archive>",
        "calling_aet": "", "destination": "", "modality_too": False, "seconds": 5, "added": True,
    }  # fmt: skip
    assert put(server, "added", modality_too=True)[1] == made | {"modality_too": True}
    # Orthanc itself knows it, and after a restart still.
    server.stop()
    server.start()
    assert nodes(server)["added"] == made | {"modality_too": True}
    assert server.ok("/modalities?expand")["added"]["Port"] == pacs.dicom_port
    assert server.request("POST", "/dose/api/nodes/added/echo", json={}).json()["answers"]
    assert server.delete("/dose/api/nodes/added") == (200, {"deleted": "added"})
    assert "added" not in nodes(server) and "added" not in server.ok("/modalities")
    assert server.delete("/dose/api/nodes/added")[0] == 404


def test_of_a_node_of_the_configuration_what_is_ours_is_changed(
    server: OrthancServer, pacs: OrthancServer
) -> None:
    status, changed = put(
        server,
        "gone",
        title="Old archive",
        destination="OTHER_AE",
        port=nodes(server)["gone"]["port"],
    )
    assert (status, changed["title"], changed["destination"], changed["added"]) == (
        200,
        "Old archive",
        "OTHER_AE",
        False,
    )
    for answer in (put(server, "gone", port=1), server.delete("/dose/api/nodes/gone")):
        assert (answer[0], answer[1]["error"]["code"]) == (409, "from_configuration")
    assert put(server, "gone", title="", destination="")[0] == 200


@pytest.mark.parametrize(("name", "body", "field"), [
    ("new", {"aet": "A" * 17, "host": "h", "port": 104}, "aet"),
    ("new", {"aet": "A\\B", "host": "h", "port": 104}, "aet"), ("new", {"aet": "  ", "host": "h", "port": 104}, "aet"),
    ("new", {"aet": "Ä", "host": "h", "port": 104}, "aet"), ("new", {"aet": "A", "host": "h/x", "port": 104}, "host"),
    ("new", {"aet": "A", "host": "h h", "port": 104}, "host"), ("new", {"aet": "A", "host": "", "port": 104}, "host"),
    ("new", {"aet": "A", "host": "h", "port": 0}, "port"), ("new", {"aet": "A", "host": "h", "port": True}, "port"),
    ("new", {"aet": "A", "host": "h", "port": 104, "seconds": 0}, "seconds"), ("new", {"aet": 1}, "aet"),
    ("new", {"aet": "A", "host": "h", "port": 104, "calling_aet": "\n"}, "calling_aet"),
    ("new", {"other": 1}, "other"),
])  # fmt: skip
def test_what_is_no_node_is_refused(
    server: OrthancServer, name: str, body: dict[str, Any], field: str | None
) -> None:
    status, answer = put(server, name, **body)
    assert (status, answer["error"]["field"]) == (400, field)
    assert "new" not in nodes(server)


def test_a_new_node_needs_its_address(server: OrthancServer) -> None:
    status, answer = put(server, "new", aet="A", host="h")
    assert (status, answer["error"]["field"]) == (409, "port")
    for name in (".a", "a b"):
        status, answer = put(server, name, aet="A", host="h", port=104)
        assert (status, answer["error"]["field"]) == (409, "name")


def test_the_plugins_own_requests_are_let_in_and_nobody_elses(server: OrthancServer) -> None:
    """By a secret of the process: its name alone opens nothing."""
    for headers in ({}, {"X-Dose-Own": "1"}, {"X-Dose-Own": ""}):
        assert server.request("GET", "/modalities", auth=None, headers=headers).status_code == 403


@contextmanager
def mover(
    server: OrthancServer, known: set[str], moves: bool = True
) -> Iterator[list[tuple[str, str]]]:
    """The node "mover", which knows these destinations and has no study; gives what it is told to
    send, and to whom.
    """
    asked: list[tuple[str, str]] = []

    def handler(event: Any) -> Iterator[Any]:
        asked.append((event.identifier.StudyInstanceUID, event.move_destination))
        if event.move_destination in known:
            yield "127.0.0.1", server.dicom_port, {"contexts": [build_context(Verification)]}
            yield 0
        else:
            yield None, None

    entity, [port] = AE("MOVER"), _free_ports(1)
    entity.add_supported_context(Verification)
    if moves:
        entity.add_supported_context(MOVE)
    running = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_MOVE, handler)]
    )
    try:
        assert put(server, "mover", aet="MOVER", host="127.0.0.1", port=port)[0] == 200
        yield asked
    finally:
        running.shutdown()
        server.delete("/dose/api/nodes/mover")


def would_send(server: OrthancServer, name: str) -> dict[str, Any]:
    answer = server.request("POST", f"/dose/api/nodes/{name}/destination", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_node_that_knows_us_takes_an_order_and_one_that_does_not_says_so(
    server: OrthancServer,
) -> None:
    with mover(server, {"OURS"}) as asked:
        told = would_send(server, "mover")
        assert told == {
            "name": "mover",
            "destination": "OURS",
            "verdict": "accepted",
            "reason": None,
        }
        put(server, "mover", destination="ELSEWHERE")
        told = would_send(server, "mover")
        assert (told["destination"], told["verdict"]) == (
            "ELSEWHERE",
            "unknown",
        ) and "0xA801" in told["reason"]
    # Each time a study of its own, which nobody can have.
    assert [target for _, target in asked] == ["OURS", "ELSEWHERE"] and len(
        {uid for uid, _ in asked}
    ) == 2
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid, _ in asked)


def test_a_node_that_looks_for_the_study_first_cannot_tell(
    server: OrthancServer, pacs: OrthancServer
) -> None:
    """As Orthanc does: the same answer whether it knows us or not."""
    for known in (True, False):
        if not known:
            put(server, "archive", destination="NOBODY")
        told = would_send(server, "archive")
        assert told["verdict"] == "unclear" and "0xC000" in told["reason"]
    put(server, "archive", destination="")


def test_a_node_that_takes_no_orders_says_why(server: OrthancServer) -> None:
    assert (
        would_send(server, "gone")["verdict"] == "failed"
        and "connection refused" in would_send(server, "gone")["reason"]
    )
    assert "rejected the association" in would_send(server, "wrong")["reason"]
    with mover(server, set(), moves=False):
        assert would_send(server, "mover") | {"destination": None} == {
            "name": "mover",
            "destination": None,
            "verdict": "failed",
            "reason": "The node does not offer this service.",
        }
    assert server.request("POST", "/dose/api/nodes/nobody/destination", json={}).status_code == 404


def test_query_retrieve_is_for_its_group_and_nodes_are_changed_by_administrators_alone() -> None:
    """That the needs of routes are kept test_access.py holds for all of them; here which they
    are.
    """
    needs = {
        (route.method, route.path): route.needs for route in ROUTES if route.tag == "Query-retrieve"
    }
    changes = {("PUT", "/nodes/{name}"), ("DELETE", "/nodes/{name}")}
    assert changes <= needs.keys() and len(needs) > 10
    assert {needs[one] for one in changes} == {("administration",)}
    assert {of for one, of in needs.items() if one not in changes} == {("query-retrieve",)}
