"""Every kind of task, with each call of the store, each opening of a file and each write into it made
to fail in turn: the task ends with a reason that names nobody, and the next one of its kind runs.

The kinds are those that the running program has, and the points at which they fail are found by
watching them run: what is new is tried, too, or asks for a way to be started here. A minute or two
a kind in the long run; the short one tries some points of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orthanc_dose import samples
from orthanc_dose.export.exports import FORMATS
from orthanc_dose.samples import make_studies
from orthanc_dose.samples.rejection import rejection_note
from tests.orthanc.test_searches import DAY, _study
from tests.orthanc.test_size_import import CHOICE, HEADER, upload
from tests.support.effort import LONG, SEED
from tests.support.exports import begun, wanted
from tests.support.faults import FOLDER, SECRET
from tests.support.server import ROOT, OrthancServer, _free_ports
from tests.support.systems import by_software, report

API = "/dose/api"
SCRIPT = str(ROOT / "tests" / "support" / "plugin_with_faults.py")
TRIED = 2  # points of a kind in the short run
# What a task may say of a fault that we put in.
SAID = {
    "The disk is full.",
    "It failed because of an internal error: RuntimeError.",
    "The statement failed: run it on the page to see why.",
    "The file exceeds the size limit or the free space on its disk.",
}
_numbers = count(1)


class House:
    """A server whose tasks fail where the test wants, and a PACS beside it."""

    def __init__(self, server: OrthancServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.wish = 0

    def want(self, **wish: Any) -> None:
        """Tell what is to fail from now on; nothing: nothing is."""
        self.wish += 1
        new = self.folder / "new"
        new.write_text(json.dumps({"number": self.wish, **wish}))
        new.replace(self.folder / "told")

    def seen(self, kind: str) -> tuple[list[str], bool]:
        """The points that tasks of this kind passed since the last wish, each once; whether the one
        that was to fail did."""
        points: dict[str, None] = {}
        fired = False
        for line in (self.folder / "seen").read_text().splitlines():
            told = json.loads(line)
            if told["number"] == self.wish and told["kind"] == kind:
                points |= dict.fromkeys(told["points"])
                fired |= told["fired"]
        return list(points), fired

    def kinds(self) -> dict[str, list[str]]:
        return json.loads((self.folder / "kinds").read_text())

    def ended(self, number: int) -> dict[str, Any]:
        path = f"{API}/tasks/{number}"

        def is_over() -> bool:
            status, task = self.server.get(path)
            assert status in (200, 503), task  # the store may be opened anew just now
            return status == 200 and task["finished_at"] is not None

        self.server.wait_for(is_over, "the end of the task")
        self.ready()
        return self.server.ok(path)

    def ready(self) -> None:
        """Wait until the store answers."""
        self.server.wait_for(
            lambda: self.server.get(f"{API}/tasks?limit=1")[0] == 200, "the store to be open"
        )

    # --- ways to start a task: its number ---

    def export(self, **body: Any) -> int:
        return begun(self.server, wanted(**body))

    def sql(self, kind: str) -> int:
        return begun(self.server, {"sql": "SELECT id FROM study", "format": kind}, "sql")

    def copy(self) -> int:
        return self._posted("/exports/copy", {"identity": False})

    def search(self) -> int:
        asked = {"first": DAY, "last": DAY, "groups": ["CT"]}
        return self._posted("/nodes/archive/searches", asked)

    def retrieval(self) -> int:
        search = self.ended(self.search())["id"]
        # What has come already is not fetched: forget it, so that there is something to do.
        return self._posted(f"/searches/{search}/retrieve")

    def job(self, kind: str, **parameters: Any) -> int:
        """A task of the writer, in place of one that a route starts."""
        told = json.loads((self.folder / "told").read_text())
        del told["number"]
        self.want(**told, instead=[kind, parameters])
        self._posted("/reextract", {})
        return self._newest()["id"]

    def sizes(self) -> int:
        file = upload(self.server, f"{HEADER}1;170;70\r\n2;180;80\r\n")["id"]
        status, answer = self.server.post(f"{API}/size-imports/{file}/start", CHOICE)
        assert status == 202, answer
        return answer["task_id"] if "task_id" in answer else answer["id"]

    def delete_studies(self) -> int:
        software = f"deleted {next(_numbers)}"
        self._sent(report(software, SoftwareVersions=software))
        system = by_software(self.server)[software]["id"]
        return self.job("delete-studies", equipment=system, studies=1, row=True)

    def decide_rejections(self) -> int:
        rejected = samples.ct_report(1, key=f"rejected {next(_numbers)}")
        self._sent(rejected, rejection_note([rejected], "113037", key=f"note {next(_numbers)}"))
        return self.job("decide-rejections")

    def with_ignored(self, kind: str, **parameters: Any) -> int:
        self._sent(samples.ct_slice(next(_numbers)))
        return self.job(kind, **parameters)

    def _sent(self, *objects: Any) -> None:
        self.server.send(*objects)
        self.server.wait_until_idle()

    def _newest(self) -> dict[str, Any]:
        return self.server.ok(f"{API}/tasks?limit=1")["tasks"][0]

    def _posted(self, path: str, body: Any = None) -> int:
        status, answer = self.server.post(API + path, body)
        assert status == 202, answer
        return answer["id"] if "id" in answer else answer["task_id"]


RULES = {"patient_name": "none", "patient_id": "none", "patient_birth_date": "none", "accession_number": "stored"}  # fmt: skip
# How a task of each kind is started, with something to do; a kind may have several ways.
WAYS: dict[str, list[Callable[[House], int]]] = {
    "export": [
        *(
            lambda house, name=name, one=one: house.export(
                file_format=name, modality=(one.modalities or ("CT",))[0]
            )
            for name, one in FORMATS.items()
        ),
        lambda house: house.sql("csv"),
        lambda house: house.sql("parquet"),
    ],
    "parquet-copy": [House.copy],
    "backup": [lambda house: house._posted("/backups")],
    "node-search": [House.search],
    "retrieval": [House.retrieval],
    "re-extraction": [lambda house: house.job("re-extraction")],
    "apply-identity": [lambda house: house.job("apply-identity", rules=RULES)],
    "not-patient": [lambda house: house.job("not-patient", names=["physics*"], ids=["*test*"])],
    "delete-objects": [lambda house: house.with_ignored("delete-objects", kinds=["unmatched"])],
    "forget-objects": [lambda house: house.with_ignored("forget-objects", outcome="ignored")],
    "import-sizes": [House.sizes],
    "sort-studies": [lambda house: house.job("sort-studies", equipment=[1], modality="RF")],
    "delete-studies": [House.delete_studies],
    "decide-rejections": [House.decide_rejections],
    "find-nested": [lambda house: house.job("find-nested")],
}
EVERY = [(kind, number) for kind, ways in WAYS.items() for number in range(len(ways))]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "told").write_text('{"number": 0}')
    [port] = _free_ports(1)
    overrides = {
        "PythonScript": SCRIPT,
        "DicomAet": "OURS",
        "OverwriteInstances": True,
    }
    with OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs:
        pacs.send(_study(1, samples.ct_report(2, key="found"), samples.ct_slice(1_001)))
        node = {
            "DicomModalities": {
                "archive": ["PACS", "127.0.0.1", pacs.dicom_port],
                "gone": ["GONE", "127.0.0.1", port],
            }
        }
        with OrthancServer(
            overrides=overrides | node,
            environment={FOLDER: str(folder)},
            dose={"ParquetDirectory": str(folder / "parquet")},
        ) as server:
            known = {"AET": "OURS", "Host": "127.0.0.1", "Port": server.dicom_port}
            assert pacs.request("PUT", "/modalities/ours", json=known).status_code == 200
            server.send(make_studies(6, seed=5))
            server.send(make_studies(2, seed=6, kinds=("mg", "rf")))
            server.wait_until_idle()
            yield House(server, folder)


def test_every_kind_of_task_is_tried(house: House) -> None:
    kinds = house.kinds()
    assert {*kinds["threads"], *kinds["steps"]} == set(WAYS), "a kind has no way to be started"


@pytest.mark.tries_more
@pytest.mark.parametrize(("kind", "way"), EVERY)
def test_a_fault_anywhere_ends_the_task_and_the_next_one_runs(
    kind: str, way: int, house: House, record_property: Any
) -> None:
    start = WAYS[kind][way]
    house.want()
    whole = house.ended(start(house))
    assert whole["state"] == "done", whole
    points, _ = house.seen(kind)
    assert points, "no point was seen: the test does not look"
    if not LONG:
        points = Random(f"{SEED} {kind} {way}").sample(points, min(TRIED, len(points)))
    # An error of the store lets the writer's tasks wait and go on; on threads it is the end.
    is_step = kind in house.kinds()["steps"]
    failed = fired = 0
    for number, point in enumerate(points):
        is_file = not point.startswith("store.")
        error = ("disk" if is_file else "odd" if is_step else "full") if number % 2 else "odd"
        house.want(of=kind, point=point, error=error)
        task = house.ended(start(house))
        assert task["state"] in ("failed", "done"), (point, task)
        was_fired = house.seen(kind)[1]
        fired += was_fired
        if task["state"] == "failed":
            assert was_fired, (point, task)
            failed += 1
            assert task["message"] in SAID and SECRET not in str(task), (point, task)
    house.want()
    assert house.ended(start(house))["state"] == "done"
    status = house.server.status()["queue"]
    assert status["state"] in ("idle", "working"), status
    assert SECRET not in house.server.log
    record_property("faults in tasks", fired)
    assert fired and failed, "no fault had an effect"
