"""Settings in a real server: first values from the configuration, changes that take effect and
outlive a restart.
"""

from typing import Any

import pytest

from orthanc_dose import samples
from orthanc_dose.manage.settings import BY_KEY, SETTINGS
from tests.support.server import OrthancServer


def of(server: OrthancServer, name: str) -> dict[str, Any]:
    found = {one["name"]: one for one in server.ok("/dose/api/settings")["settings"]}
    return found[name]


def put(server: OrthancServer, **values: Any) -> tuple[int, Any]:
    answer = server.request("PUT", "/dose/api/settings", json=values)
    return answer.status_code, answer.json()


def test_every_setting_has_its_key_topic_and_a_default_that_it_can_have() -> None:
    assert len(BY_KEY) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.checked(setting.default) == setting.default, setting.name


def test_the_configuration_gives_first_values_and_an_administrator_changes_them() -> None:
    with OrthancServer(dose={"PatientID": "stored", "TaskDays": 5}) as server:
        assert of(server, "patient_id") | {"choices": []} == of(server, "patient_id") | {
            "choices": [],
            "value": "stored",
            "default": "stored",
            "changed": False,
        }
        status, answer = put(server, patient_id="none", task_days=7)
        assert status == 200
        changed = {one["name"]: one for one in answer["settings"] if one["changed"]}
        assert {name: (one["value"], one["default"]) for name, one in changed.items()} == {
            "patient_id": ("none", "stored"),
            "task_days": (7, 5),
        }
        server.restart()
        assert of(server, "patient_id")["value"] == "none", "the change is in the store"
        assert server.request("DELETE", "/dose/api/settings/patient_id").json()["value"] == "stored"
        assert of(server, "patient_id")["changed"] is False


def test_a_change_holds_for_the_next_object() -> None:
    with OrthancServer() as server:
        reports = [samples.ct_report(1, key=f"identity {number}") for number in range(2)]
        for number, report in enumerate(reports):
            report.PatientID = f"KNOWN-{number}"
        server.send(reports[0])
        server.wait_until_idle()
        assert put(server, patient_id="stored")[0] == 200
        server.send(reports[1])
        server.wait_until_idle()
        kept = {
            study["study_instance_uid"]: study["patient"]["patient_id"]
            for study in server.details()
        }
        assert kept == {reports[0].StudyInstanceUID: None, reports[1].StudyInstanceUID: "KNOWN-1"}


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"patient_name": "yes"}, "patient_name", "none, stored"),
        ({"task_days": 0}, "task_days", "from 1 to 3650"),
        ({"task_days": True}, "task_days", "whole number"),
        ({"dose_screens": ["TOSHIBA"]}, "dose_screens", "MANUFACTURER/MODEL"),
        ({"dose_screens": "TOSHIBA/*"}, "dose_screens", "list"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "Europe/London"),
        ({"no_such": 1}, "no_such", "no field with this name"),
        ({"task_days": 9, "patient_name": None}, "patient_name", "one of"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_is_changed(
    shared_server: OrthancServer, values: dict[str, Any], field: str, words: str
) -> None:
    before = shared_server.ok("/dose/api/settings")
    status, answer = put(shared_server, **values)
    assert (status, answer["error"]["field"]) == (400, field)
    assert words in answer["error"]["message"]
    assert shared_server.ok("/dose/api/settings") == before
