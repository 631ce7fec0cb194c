"""CT studies of systems that differ as a test requires, and requests to a server about systems."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from tests.support.server import OrthancServer
from tests.support.several import PATTERNS, ct_reports

API = "/dose/api"


def named(dataset: Dataset, **system: str) -> Dataset:
    """Return the object as if from a system with these attributes.

    They are SoftwareVersions, StationName and so on; empty ones are removed.
    """
    for keyword, value in system.items():
        if value:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)
    return dataset


def reports(study: str, pattern: str = "continued", **system: str) -> list[Dataset]:
    """Return the three reports of a CT study, in the order in which they were made."""
    return [named(dataset, **system) for dataset in ct_reports(study, PATTERNS[pattern])]


def report(study: str, **system: str) -> Dataset:
    """Return the first report of a CT study."""
    return reports(study, **system)[0]


def put(server: OrthancServer, path: str, body: Any) -> tuple[int, Any]:
    answer = server.request("PUT", API + path, json=body)
    return answer.status_code, answer.json()


def post(server: OrthancServer, path: str, body: Any = None) -> tuple[int, Any]:
    return server.post(API + path, body)


def systems(server: OrthancServer, text: str = "") -> list[dict[str, Any]]:
    return server.ok(f"{API}/equipment?text={text}")["systems"]


def by_software(server: OrthancServer) -> dict[str, dict[str, Any]]:
    return {row["software_versions"]: row for row in systems(server)}


def content(server: OrthancServer) -> list[dict[str, Any]]:
    """Return the store's content of all studies, without times of writing and internal numbers."""
    details = server.details()
    uids = {detail["id"]: detail["study_instance_uid"] for detail in details}
    for detail in details:
        for name in ("stored_at", "id", "equipment_id", "made_by"):
            del detail[name]
        for name in ("id", "joined_into", "user_defined_modality"):
            del detail["equipment"][name]
        detail["objects"].sort(key=lambda row: row["sop_instance_uid"])
        lists = ("objects", "events", "accumulated", "estimates")
        for row in (row for name in lists for row in detail[name]):
            for name in ("processed_at", "received_at", "change", "attempts", "study_id"):
                row.pop(name, None)
        detail["accumulated"].sort(key=str)
        _name_studies_by_uid(detail, uids)
    return sorted(
        details,
        key=lambda detail: (
            detail["study_instance_uid"],
            detail["equipment"]["software_versions"] or "",
        ),
    )


def _name_studies_by_uid(detail: dict[str, Any], uids: dict[int, str]) -> None:
    """Put UIDs in place of the numbers by which studies that share irradiations name each other."""
    for shared in detail["shared_with"] or ():
        shared["study_id"] = uids[shared["study_id"]]
    for event in (*detail["events"], *detail["estimates"]):
        if event.get("counted_in") is not None:
            event["counted_in"] = uids[event["counted_in"]]


def settled(server: OrthancServer, answer: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of an answer's task, and return the task."""
    number = answer["task"]["id"] if "task" in answer else answer["task_id"]

    def task() -> dict[str, Any]:
        return server.ok(f"{API}/tasks/{number}")

    server.wait_for(
        lambda: task()["state"] not in ("waiting", "running"), f"the end of task {number}"
    )
    return task()
