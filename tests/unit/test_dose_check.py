"""Dose check: which configured values the expected dose reached (NEMA XR 25)."""

from orthanc_dose.assemble.dose_check import reached_limits
from orthanc_dose.assemble.totals import totals_of_study
from orthanc_dose.records import CT_EVENT
from orthanc_dose.records.rows import EventRow

_REACHED: EventRow = {
    "dlp_notification_value": 300.0,
    "dlp_forward_estimate": 300.0,
    "ctdivol_notification_value": 20.0,
    "ctdivol_forward_estimate": 19.9,
    "dlp_alert_value": 1000.0,
    "accumulated_ctdivol_forward_estimate": 25.0,
}
_BELOW: EventRow = {"dlp_alert_value": 1000.0, "accumulated_dlp_forward_estimate": 999.9}


def test_a_value_is_reached_by_an_equal_or_larger_estimate() -> None:
    assert reached_limits(_REACHED) == {
        "dlp_notification_value_reached": True,
        "ctdivol_notification_value_reached": False,
        "dlp_alert_value_reached": None,
        "ctdivol_alert_value_reached": None,
    }
    assert reached_limits(_BELOW)["dlp_alert_value_reached"] is False
    larger = _BELOW | {"accumulated_dlp_forward_estimate": 1000.1}
    assert reached_limits(larger)["dlp_alert_value_reached"] is True


def test_a_value_or_estimate_of_zero_is_given() -> None:
    none: EventRow = {"dlp_alert_value": 0.0, "accumulated_dlp_forward_estimate": 0.0}
    assert reached_limits(none)["dlp_alert_value_reached"] is True


def test_a_study_counts_the_events_that_reached_a_value() -> None:
    events = [_REACHED, _BELOW, {}, _REACHED]
    assert totals_of_study("CT", [], events, overlap=False)["dose_check_events"] == 2


def test_each_result_is_a_field_of_the_answer() -> None:
    derived = [field.name for field in CT_EVENT.derived]
    assert [name for name in derived if name.endswith("_reached")] == list(reached_limits({}))
