"""The stop buttons of a search and of a retrieval, on a node that says nothing more until it is let
go.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as FIND  # type: ignore[attr-defined]
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as MOVE  # type: ignore[attr-defined]

from orthanc_dose import samples
from tests.browser.conftest import WIDE, Visit, visits
from tests.browser.test_query_retrieve import DAY, PATH, study
from tests.support.server import OrthancServer, _free_ports

PENDING = 0xFF00


class Held:
    """A PACS with one CT study, a report alone. It answers while `finding` is set, and sends while
    `moving` is.
    """

    def __init__(self) -> None:
        [self.port] = _free_ports(1)
        [self.report] = study(1, samples.ct_report(2, key="held"))
        self.finding, self.moving, self.asked = (
            threading.Event(),
            threading.Event(),
            threading.Event(),
        )
        self.destination = 0
        entity = AE("HELD")
        entity.add_supported_context(FIND)
        entity.add_supported_context(MOVE)
        entity.add_requested_context(self.report.SOPClassUID)
        handlers = [(evt.EVT_C_FIND, self._find), (evt.EVT_C_MOVE, self._move)]
        self._server = entity.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=handlers
        )

    def let_go(self) -> None:
        self.finding.set()
        self.moving.set()

    def hold(self, one: threading.Event) -> None:
        """From now on; `asked` is set when somebody waits for it."""
        self.let_go()
        one.clear()
        self.asked.clear()

    def close(self) -> None:
        self.let_go()
        self._server.shutdown()

    def _wait(self, one: threading.Event) -> None:
        if not one.is_set():
            self.asked.set()
        assert one.wait(60)

    def _find(self, event: Any) -> Iterator[tuple[int, Dataset]]:
        self._wait(self.finding)
        told = Dataset()
        for element in event.identifier:
            if element.keyword in self.report:
                told.add(self.report[element.keyword])
        told.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
        if told.QueryRetrieveLevel == "STUDY":
            told.ModalitiesInStudy = ["CT", "SR"]
        elif told.QueryRetrieveLevel == "SERIES":
            told.NumberOfSeriesRelatedInstances = 1
        yield PENDING, told

    def _move(self, _event: Any) -> Iterator[Any]:
        yield "127.0.0.1", self.destination
        yield 1
        self._wait(self.moving)
        yield PENDING, self.report


@pytest.fixture(scope="module")
def node() -> Iterator[Held]:
    held = Held()
    yield held
    held.close()


@pytest.fixture(scope="module")
def ours(node: Held) -> Iterator[OrthancServer]:
    modalities = {"held": ["HELD", "127.0.0.1", node.port]}
    with OrthancServer(overrides={"DicomModalities": modalities, "DicomAet": "OURS"}) as running:
        node.destination = running.dicom_port
        yield running
        node.let_go()


@pytest.fixture
def visit(browser: Browser, ours: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, ours, WIDE, "light")


def searched(ours: OrthancServer) -> int:
    asked = {"first": DAY, "last": DAY, "groups": ["CT"]}
    return int(ours.request("POST", "/dose/api/nodes/held/searches", json=asked).json()["id"])


def stop(page: Page) -> None:
    """Press the button, and answer the question before it is done."""
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_search_is_stopped(visit: Visit, ours: OrthancServer, node: Held) -> None:
    node.hold(node.finding)
    number = searched(ours)
    assert node.asked.wait(60)
    page = visit.open(f"{PATH}/{number}")
    expect(page.get_by_role("progressbar")).to_be_visible()
    visit.check()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    stop(page)
    expect(page.get_by_text("The task stops after the current step.")).to_be_visible()
    node.let_go()
    expect(page.locator(".page-head").get_by_text("stopped", exact=True)).to_be_visible()
    expect(page.locator("main")).to_contain_text("there is nothing to retrieve")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    visit.check()
    assert ours.ok(f"/dose/api/tasks/{number}")["state"] == "stopped"
    assert ours.ok(f"/dose/api/searches/{number}/found")["total"] == 0


def test_a_retrieval_is_stopped_and_what_it_left_is_fetched_later(
    visit: Visit, ours: OrthancServer, node: Held
) -> None:
    node.let_go()
    number = searched(ours)
    ours.wait_for(
        lambda: ours.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the search"
    )
    page = visit.open(f"{PATH}/{number}")
    node.hold(node.moving)
    page.get_by_role("button", name="Retrieve 1 object").click()
    panel = page.get_by_role("region", name="Retrieval", exact=True)
    expect(panel.get_by_role("progressbar")).to_be_visible()
    assert node.asked.wait(60)
    expect(page.get_by_role("row", name="Dose report")).to_contain_text("being retrieved")
    visit.check()
    stop(page)
    expect(panel).to_contain_text("The retrieval was stopped")
    expect(page.get_by_role("row", name="Dose report")).to_contain_text(
        "interrupted: will be retrieved next time"
    )
    visit.check()
    node.let_go()
    page.get_by_role("button", name="Retrieve 1 object").click()
    expect(panel).to_contain_text("everything requested has arrived")
    assert ours.ok("/dose/api/studies/count?modality=CT")["total"] == 1
    states = [one["state"] for one in ours.ok(f"/dose/api/searches/{number}")["retrievals"]]
    assert states == ["done", "stopped"]
