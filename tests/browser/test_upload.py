"""Files from the browser to Orthanc: what is sent, what is left out, what became of each, stopping
and trying again.
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from orthanc_dose.samples import make_studies, part10
from tests.browser.conftest import WIDE, Visit, fits
from tests.support.server import OrthancServer
from tests.support.visitors import REGISTERED, guarded


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    running = guarded()
    # Orthanc says of a file that was there already only if it does not replace it.
    running.overrides["OverwriteInstances"] = False
    with running:
        yield running


def objects(seed: int, number: int) -> list[bytes]:
    """So many DICOM files, others for each seed."""
    datasets = [dataset for study in make_studies(number, seed=seed) for dataset in study.datasets]
    return [part10(dataset) for dataset in datasets[:number]]


def are_read(server: OrthancServer, sent: list[bytes]) -> bool:
    """Whether the plugin has read all of these."""
    server.wait_until_idle()
    uids = {
        str(pydicom.dcmread(BytesIO(raw), specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
        for raw in sent
    }
    return uids <= {row["sop_instance_uid"] for row in server.objects()}


def tab(page: Page, name: str) -> Any:
    return page.get_by_role("group", name="Results").get_by_role(
        "button", name=re.compile(f"^{name} ")
    )


def counts(page: Page) -> dict[str, int]:
    """What the tabs of results say, once nothing is sent any more."""
    expect(
        page.get_by_role("heading", name=re.compile("^Upload (complete|incomplete)"))
    ).to_be_visible()
    texts = page.get_by_role("group", name="Results").get_by_role("button").all_inner_texts()
    return {
        name: int(number)
        for name, number in (re.fullmatch(r"(.+?)\s+([\d,]+)", text).groups() for text in texts)
    }


def own_complaints(visit: Visit) -> None:
    """Drops what the browser itself says of answers that are no success, which the page shows in
    words.
    """
    visit.complaints[:] = [
        said for said in visit.complaints if not said.startswith("Failed to load resource")
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Objects with and without names and heads, an archive with more, and what is no DICOM."""
    root = tmp_path / "disc"
    (root / "DICOM" / "deep").mkdir(parents=True)
    one, two, three, four, five, six = objects(501, 6)
    (root / "DICOM" / "IM1").write_bytes(one)
    (root / "DICOM" / "deep" / "report.dcm").write_bytes(two)
    (root / "DICOM" / "headless").write_bytes(three[132:])
    (root / "README.TXT").write_text("Read me.")
    (root / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(200))
    (root / "cut.dcm").write_bytes(four[:300])
    with zipfile.ZipFile(root / "more.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/four.dcm", four)
        archive.writestr("five", five)
        archive.writestr("notes.txt", "Notes.")
        archive.write(root / "DICOM" / "IM1", "the same again")
    with zipfile.ZipFile(root / "stored.bin", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("six.dcm", six)
        archive.write(root / "more.zip", "inner.zip")
    (root / "broken.zip").write_bytes((root / "more.zip").read_bytes()[:400])
    return root


def test_a_folder_is_sent_and_the_page_says_what_became_of_each_file(
    visit: Visit, server: OrthancServer, folder: Path
) -> None:
    page = visit.open("/upload")
    page.locator("input[webkitdirectory]").set_input_files(folder)
    # Six objects, one of which is in the archive once more; cut.dcm and broken.zip; README,
    # DICOMDIR, notes, inner.zip.
    assert counts(page) == {
        "All": 13,
        "Stored": 6,
        "Already present": 1,
        "Refused": 2,
        "Not DICOM": 4,
    }
    assert are_read(server, objects(501, 6))
    tab(page, "Refused").click()
    table = page.get_by_role("region", name="Uploaded files and their results")
    expect(table.get_by_role("row")).to_have_count(3)
    expect(table).to_contain_text("disc/cut.dcm")
    expect(table).to_contain_text("Orthanc cannot read the file as DICOM.")
    expect(table).to_contain_text("disc/broken.zip")
    expect(table).to_contain_text("The archive cannot be read")
    tab(page, "Not DICOM").click()
    for name in (
        "disc/README.TXT",
        "disc/DICOMDIR",
        "disc/more.zip/notes.txt",
        "disc/stored.bin/inner.zip",
    ):
        expect(table).to_contain_text(name)
    outcomes = page.get_by_role("region", name="Import outcomes")
    expect(outcomes.get_by_role("row", name=re.compile("imported.* 6$"))).to_be_visible()
    expect(outcomes.get_by_role("link", name=re.compile(r"^Study \d+"))).to_have_count(6)
    outcomes.get_by_role("link", name="Activity").click()
    expect(page).to_have_url(re.compile("/activity"))
    visit.settle()
    own_complaints(visit)
    visit.check()


def test_files_and_folders_are_dropped_anywhere_on_the_page(
    visit: Visit, server: OrthancServer, tmp_path: Path
) -> None:
    sent = objects(502, 2)
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "below" / "one").write_bytes(sent[0])
    (tmp_path / "two.dcm").write_bytes(sent[1])
    page = visit.open("/upload")
    session = page.context.new_cdp_session(page)
    data = {
        "items": [],
        "files": [str(tmp_path / "folder"), str(tmp_path / "two.dcm")],
        "dragOperationsMask": 1,
    }
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 500, "data": data})
    assert counts(page) == {"All": 2, "Stored": 2}
    table = page.get_by_role("region", name="Uploaded files and their results")
    expect(table).to_contain_text("folder/below/one")
    assert are_read(server, sent)


def test_what_fails_is_sent_again(visit: Visit, server: OrthancServer, tmp_path: Path) -> None:
    sent = objects(503, 4)
    for number, raw in enumerate(sent):
        (tmp_path / f"{number}.dcm").write_bytes(raw)
    page = visit.open("/upload")
    seen: list[Route] = []

    def answer(route: Route) -> None:
        seen.append(route)
        if len(seen) == 2:
            route.fulfill(status=507, json={"Message": "The disk is full"})
        else:
            route.continue_()

    page.route("**/instances", answer)
    page.locator("input[multiple]").set_input_files(
        [tmp_path / f"{number}.dcm" for number in range(4)]
    )
    assert counts(page) == {"All": 4, "Stored": 3, "Failed": 1}
    tab(page, "Failed").click()
    table = page.get_by_role("region", name="Uploaded files and their results")
    expect(table).to_contain_text("The server’s disk is full. Ask the administrator.")
    page.get_by_role("button", name="Retry 1 file").click()
    expect(page.get_by_role("heading", name="Upload complete")).to_be_visible()
    assert counts(page) == {"All": 4, "Stored": 4}
    assert are_read(server, sent)
    page.get_by_role("button", name="Clear list").click()
    expect(table).to_have_count(0)


def test_nothing_more_is_tried_when_the_server_is_away(visit: Visit, tmp_path: Path) -> None:
    for number, raw in enumerate(objects(504, 20)):
        (tmp_path / f"{number:02}.dcm").write_bytes(raw)
    page = visit.open("/upload")
    page.route("**/instances", lambda route: route.abort())
    page.locator("input[multiple]").set_input_files(sorted(tmp_path.glob("*.dcm")))
    found = counts(page)
    assert found["Failed"] + found["Not uploaded"] == 20 and 5 <= found["Failed"] <= 8
    expect(page.get_by_role("alert")).to_contain_text(
        "The upload was interrupted: Orthanc is not responding."
    )


def test_sending_is_stopped_and_goes_on(
    visit: Visit, server: OrthancServer, tmp_path: Path
) -> None:
    sent = objects(505, 6)
    for number, raw in enumerate(sent):
        (tmp_path / f"{number}.dcm").write_bytes(raw)
    page = visit.open("/upload")
    held: list[Route] = []
    page.route("**/instances", lambda route: held.append(route))
    page.locator("input[multiple]").set_input_files(sorted(tmp_path.glob("*.dcm")))
    expect(tab(page, "Uploading")).to_contain_text("3")
    expect(tab(page, "Waiting")).to_contain_text("3")
    # Who leaves now is asked, and may stay.
    page.get_by_role("link", name="Activity").click()
    dialog = page.get_by_role("dialog", name="Stop the upload?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("/upload$"))
    page.get_by_role("button", name="Stop", exact=True).click()
    assert counts(page) == {"All": 6, "Not uploaded": 6}
    page.unroute("**/instances")
    page.get_by_role("button", name="Retry 6 files").click()
    expect(page.get_by_role("heading", name="Upload complete")).to_be_visible()
    assert counts(page) == {"All": 6, "Stored": 6}
    assert are_read(server, sent)


def test_who_may_not_use_orthanc_is_told_who_may(browser: Browser, server: OrthancServer) -> None:
    name = "only administration"
    context = browser.new_context(viewport=WIDE)
    visit = Visit(context.new_page(), server.url)
    visit.page.goto(f"{server.url}/dose/app/sign-in")
    visit.page.get_by_label("Name").fill(name)
    visit.page.get_by_label("Password", exact=True).fill(REGISTERED[name])
    visit.page.keyboard.press("Enter")
    expect(visit.page).not_to_have_url(re.compile("sign-in"))
    page = visit.open("/upload")
    expect(page.locator("main")).to_contain_text("You cannot upload files")
    expect(page.locator("main")).to_contain_text(
        f"storescu -aec DOSE 127.0.0.1 {server.dicom_port}"
    )
    expect(page.get_by_role("button", name="Choose files")).to_have_count(0)
    visit.check()
    context.close()


def test_a_session_by_cookie_sends_as_well(
    browser: Browser, server: OrthancServer, tmp_path: Path
) -> None:
    (raw,) = objects(506, 1)
    (tmp_path / "one.dcm").write_bytes(raw)
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(f"{server.url}/dose/app/sign-in?to=/upload")
    page.get_by_label("Name").fill("pacs")
    page.get_by_label("Password", exact=True).fill(REGISTERED["pacs"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/upload$"))
    page.locator("input[multiple]").set_input_files(tmp_path / "one.dcm")
    assert counts(page) == {"All": 1, "Stored": 1}
    context.close()


def test_the_page_is_clean_in_both_themes_and_widths(any_visit: Visit, tmp_path: Path) -> None:
    page = any_visit.open("/upload")
    any_visit.check()
    (tmp_path / "notes.txt").write_text("Notes.")
    (tmp_path / "one.dcm").write_bytes(objects(507, 1)[0])
    page.locator("input[multiple]").set_input_files([tmp_path / "notes.txt", tmp_path / "one.dcm"])
    assert counts(page)["Not DICOM"] == 1
    any_visit.settle()
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()
