"""The same object again changes nothing; further reports of a study lose nothing and count nothing
twice, whatever the order in which they come."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import permutations, product
from math import fsum
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose.samples import make_studies
from tests.support.expect import number
from tests.support.server import OrthancServer
from tests.support.several import PATTERNS, ct_events, ct_reports, rf_events, rf_reports

ORDERS = list(permutations(range(3)))
MAKERS = {"ct": (ct_reports, ct_events), "rf": (rf_reports, rf_events)}
# The rules are the same for all modalities; in fluoroscopy those that bear on two planes are tried.
CASES = [("ct", pattern) for pattern in PATTERNS] + [("rf", "cumulative"), ("rf", "overlapping")]


def all_rows(server: OrthancServer) -> list[dict[str, Any]]:
    """Everything that the store says of all studies, but for when it was written."""
    details = server.details()
    for detail in details:
        del detail["stored_at"]
        detail["objects"].sort(
            key=lambda row: row["sop_instance_uid"]
        )  # they come in the order in which they were received
        for row in detail["objects"]:
            for name in ("processed_at", "received_at", "change", "attempts"):
                del row[name]
    return details


def test_the_same_objects_again_change_nothing(server: OrthancServer) -> None:
    samples = [sample for sample in make_studies(30, seed=21) if sample.events < 10]
    several = [ct_reports(name, pattern) for name, pattern in PATTERNS.items()]
    server.restart(overrides={"OverwriteInstances": False})
    server.send(samples, several)
    server.wait_until_idle()
    before, objects = all_rows(server), server.objects()
    assert len(before) == len(samples) + len(PATTERNS)

    server.send(samples, several)
    server.wait_until_idle()
    assert all_rows(server) == before
    assert server.objects() == objects, "not even read again"

    server.restart()
    server.send(several, samples)
    server.wait_until_idle()
    assert all_rows(server) == before
    assert server.objects() == objects

    server.restart(overrides={"OverwriteInstances": True})
    server.send(several[::-1], samples)
    server.wait_until_idle()
    assert all_rows(server) == before
    again = server.objects()
    assert {row["handle"] for row in again} == {row["handle"] for row in objects}
    assert all(row["attempts"] > 1 for row in again), (
        "Orthanc stored them anew, so they were read anew"
    )


@dataclass
class Arrived:
    """A study as the API gives it, and its reports as they were made."""

    detail: dict[str, Any]
    reports: list[Dataset]

    @property
    def uids(self) -> list[str]:
        return [str(report.SOPInstanceUID) for report in self.reports]


@pytest.fixture(scope="module")
def arrived(shared_server: OrthancServer) -> dict[str, Arrived]:
    """By name, the details of studies whose three reports came in every order, one after the other
    or all at once.
    """
    plans: dict[str, tuple[list[Dataset], tuple[int, ...]]] = {}
    for (kind, pattern), order in product(CASES, ORDERS):
        name = f"{kind}-{pattern}-{''.join(map(str, order))}"
        plans[name] = MAKERS[kind][0](name, PATTERNS[pattern]), order
    for step in range(3):
        shared_server.send([reports[order[step]] for reports, order in plans.values()])
        shared_server.wait_until_idle()
    for kind, pattern in CASES:
        name = f"{kind}-{pattern}-at-once"
        plans[name] = MAKERS[kind][0](name, PATTERNS[pattern]), ORDERS[0]
    shared_server.send(
        [reports[::-1] for name, (reports, _) in plans.items() if name.endswith("at-once")]
    )
    shared_server.wait_until_idle()
    by_uid = {detail["study_instance_uid"]: detail for detail in shared_server.details()}
    assert len(by_uid) == len(plans)
    return {
        name: Arrived(by_uid[reports[0].StudyInstanceUID], reports)
        for name, (reports, _) in plans.items()
    }


@pytest.mark.parametrize(("kind", "pattern"), CASES)
def test_order_of_arrival_does_not_matter(
    arrived: dict[str, Arrived], kind: str, pattern: str
) -> None:
    found = {name: essence(one.detail, one.uids) for name, one in of(arrived, kind, pattern)}
    assert len(found) == len(ORDERS) + 1
    first = next(iter(found.values()))
    for name, detail in found.items():
        assert detail == first, name


def of(arrived: dict[str, Arrived], kind: str, pattern: str) -> list[tuple[str, Arrived]]:
    """Those of this modality and pattern."""
    return [(name, one) for name, one in arrived.items() if name.startswith(f"{kind}-{pattern}-")]


def essence(detail: dict[str, Any], reports: list[str]) -> dict[str, Any]:
    """What is the same in studies that differ in nothing but UIDs and numbers. reports: their UIDs
    as they were made.
    """
    text = json.dumps(detail)
    for made, sop_uid in enumerate(reports):
        text = text.replace(f'"{sop_uid}"', f'"report {made}"')
    rest = json.loads(re.sub(r'"2\.25\.\d+"', '"another UID"', text))
    for name in ("id", "equipment_id", "made_by", "stored_at", "orthanc_studies"):
        del rest[name]
    for row in [*rest["events"], *rest["accumulated"], *rest["estimates"]]:
        del row["study_id"]
    rest["accumulated"].sort(
        key=lambda row: (row["sop_instance_uid"], str(row.get("acquisition_plane")))
    )
    rest["objects"] = sorted(
        (row["sop_instance_uid"], row["outcome"], row["rule"]) for row in rest["objects"]
    )
    return rest


@pytest.mark.parametrize(("kind", "pattern"), CASES)
def test_events_and_totals_of_several_reports(
    arrived: dict[str, Arrived], kind: str, pattern: str
) -> None:
    indices = sorted({index for report in PATTERNS[pattern] for index in report})
    for name, one in of(arrived, kind, pattern):
        events = [MAKERS[kind][1](name)[index] for index in indices]
        got = [event["irradiation_event_uid"] for event in one.detail["events"]]
        assert got == [event.uid for event in events], name
        assert one.detail["number_of_events"] == len(indices)
        if kind == "ct":
            assert one.detail["dlp_total"] == number(fsum(event.dlp for event in events)), name
        else:
            assert one.detail["dap_total"] == number(fsum(event.dap for event in events)), name


OUTCOMES = {
    "cumulative": ["merged", "merged", "imported"],
    "continued": ["imported", "merged", "merged"],
    "duplicate": ["imported", "duplicate", "duplicate"],
    "overlapping": ["imported", "merged", "merged"],
    "partial": ["imported", "duplicate", "duplicate"],
    "mixed": ["merged", "imported", "merged"],
}


@pytest.mark.parametrize(("kind", "pattern"), CASES)
def test_outcomes_of_several_reports(arrived: dict[str, Arrived], kind: str, pattern: str) -> None:
    for name, one in of(arrived, kind, pattern):
        found = {row["sop_instance_uid"]: row for row in one.detail["objects"]}
        assert [found[uid]["outcome"] for uid in one.uids] == OUTCOMES[pattern], name
        assert all(
            row["rule"] and row["reason"] for row in found.values() if row["outcome"] != "imported"
        )
