"""One irradiation counts once, over all studies and reports that have it: sent by a real sender,
asked of the API."""

from __future__ import annotations

import pytest

from orthanc_dose.samples.rejection import rejection_note
from tests.support import split
from tests.support.server import OrthancServer


def dlp(server: OrthancServer) -> float:
    """The DLP of all studies together, from a chart."""
    found = server.ok("/dose/api/charts/ct-dlp-study-description/figure?view=bar")
    return sum(row["mean"] * row["n"] for row in found["rows"] if row["mean"] is not None)


def by_uid(server: OrthancServer) -> dict[str, dict[str, object]]:
    return {str(study["study_instance_uid"]): study for study in server.studies()}


def test_a_split_examination_counts_once_and_its_studies_name_each_other(
    server: OrthancServer,
) -> None:
    server.send(split.ct("all events")[::-1])
    server.wait_until_idle()
    studies = by_uid(server)
    first, second = (studies[split.study_uid("all events", number)] for number in (0, 1))
    assert (first["not_counted"], second["not_counted"]) == (None, "shared")
    for one, other in ((first, second), (second, first)):
        assert [entry["study_id"] for entry in one["shared_with"]] == [other["id"]]  # type: ignore[attr-defined]
    assert server.studies(counting="yes") == [first]
    assert server.studies(counting="shared") == [second]
    doses = [one.dlp or 0 for one in split.events("all events")[:4]]
    assert dlp(server) == pytest.approx(sum(doses))


def test_a_rejected_study_does_not_count_and_its_report_under_the_right_study_does(
    server: OrthancServer,
) -> None:
    wrong, right = split.ct("all events")
    server.send([rejection_note([wrong])])
    server.send([wrong, right])
    server.wait_until_idle()
    studies = by_uid(server)
    assert [studies[split.study_uid("all events", n)]["not_counted"] for n in (0, 1)] == [
        "rejected",
        None,
    ]
    doses = [one.dlp or 0 for one in split.events("all events")[:4]]
    assert dlp(server) == pytest.approx(sum(doses))
