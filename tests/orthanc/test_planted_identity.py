"""Names and IDs that stand in every place of real objects are nowhere but in Orthanc's own storage:
not in a file of the store, an answer, an export, or a log; and taking them out changes no dose.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pydicom
import pytest

from orthanc_dose import extract
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.extract import Ignored, Kept
from orthanc_dose.samples import make_studies
from orthanc_dose.samples import part10 as as_bytes
from tests.orthanc.test_identity_leaks import cells
from tests.support.corpus import OBJECTS
from tests.support.exports import begun, done, wanted
from tests.support.leaks import answers, files, leaks
from tests.support.plants import FAMILY, GIVEN, ID, WORDS, planted
from tests.support.server import PASSWORD, USER, OrthancServer

VIEWER = "viewer"


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


@pytest.fixture(autouse=True, scope="module")
def any_value() -> Any:
    """Plants are longer than their elements may be."""
    before = pydicom.config.settings.writing_validation_mode
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    yield
    pydicom.config.settings.writing_validation_mode = before


def objects() -> list[pydicom.Dataset]:
    made = [one for study in make_studies(4, seed=8) for one in study.datasets]
    real = [pydicom.dcmread(path, force=True) for path in OBJECTS]
    for one in real:
        one.pop("PixelData", None)
    return [*made, *real]


def doses(raw: bytes, cleaned: bool) -> Any:
    """The numbers that are read from an object; cleaned: after the patient is taken out of it."""
    try:
        read = part10.read_any(raw)
        kept = extract.keep(read) if cleaned else Kept(read.dataset, read.transfer_syntax)
        found = extract.extract_object(kept, str(kept.dataset["0008,0016"]))
    except (Ignored, Unreadable) as error:
        return type(error).__name__

    def numbers(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: numbers(one)
                for name, one in value.items()
                if name not in ("accession_numbers", "marks", "patient_age")
            }
        if isinstance(value, list):
            return [numbers(one) for one in value]
        return value if isinstance(value, float) else None

    return [numbers(one) for one in (found.study, found.events, found.accumulated)]


def test_taking_the_patient_out_changes_no_number() -> None:
    compared = 0
    for one in objects():
        raw = as_bytes(planted(one))
        before = doses(raw, cleaned=False)
        compared += not isinstance(before, str)
        assert doses(raw, cleaned=True) == before, one.SOPInstanceUID
    assert compared >= 4


@pytest.mark.timeout(900)
def test_what_is_planted_everywhere_is_found_nowhere() -> None:
    rights = {USER: ["view", "administration", "import sizes", "export", "orthanc"]}
    rights |= {VIEWER: ["view"]}
    with OrthancServer(
        dose={"OrthancUsers": rights, "AccessionNumber": "none", "LogLevel": "debug"},
        overrides={"RegisteredUsers": dict.fromkeys(rights, PASSWORD)},
    ) as server:
        raws = [as_bytes(planted(one)) for one in objects()]
        assert all(leaks([("an object", raw)], WORDS) for raw in raws)
        for raw in raws:
            server.upload(raw)
        server.wait_until_idle()
        assert len(server.studies(test_data="no,yes")) >= 4
        for kind in ("csv", "xlsx", "jsonl"):
            done(server, begun(server, wanted(kind)))
        copied = server.post("/dose/api/exports/copy", {"identity": False})[1]
        done(server, copied["task_id"])
        sized = server.request(
            "POST",
            "/dose/api/size-imports",
            data=b"number,height cm,weight kg\nnobody,170,70\n",
            headers={"X-File-Name": quote(f"{FAMILY}_{GIVEN}_{ID}.csv")},
        ).json()
        choice = {"identifier": 0, "height": 1, "weight": 2, "kind": "accession-number"}
        choice |= {"height_unit": "cm", "weight_unit": "kg", "overwrite": False}
        _, begun_with = server.post(f"/dose/api/size-imports/{sized['id']}/start", choice)
        done(server, begun_with["task_id"])
        assert server.request(
            "POST", "/dose/api/size-imports", data=b"\x00", headers={"X-File-Name": quote(f"{GIVEN} {FAMILY}")}
        ).status_code == 400  # fmt: skip
        found = leaks(answers(server, VIEWER), WORDS)
        # While it runs: the write-ahead log, too.
        found += leaks(files(server.dose_directory), WORDS)
        assert server.stop() == 0
        found += leaks([*files(server.dose_directory), *cells(server)], WORDS)
        found += leaks([("the log", server.log)], WORDS)
        assert not found, "\n".join(sorted(set(found))[:40])
