"""The value of an event from those of its pulses or projections: each rule, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.records import PROJECTION_EVENT
from orthanc_dose.records.field import PULSE_RULES
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples.own_content import report_of_events
from orthanc_dose.samples.projection import Totals
from tests.support.reports import events, marks, read

# 11 projections of a sweep, in uA.s; by hand they add up to 139.9 mA.s.
SWEEP = [12700, 12700, 12800, 12700, 12700, 12700, 12800, 12700, 12700, 12700, 12700]


def event(**values: object) -> dict:
    """The row of one event with these values and no others of the tube."""
    tube = dict.fromkeys(
        ("pulses", "pulse_width", "kvp", "current", "average_current", "exposure_time", "exposure")
    )
    made = report_of_events(events(1, **(tube | values)), key="pulses", totals=[Totals()])
    return read(made).events[0]


def raw_of(row: dict, field: str, why: str) -> str | None:
    return next(one["raw"] for one in row["marks"] if (one["field"], one["mark"]) == (field, why))


# --- several values in one Numeric Value (DS, 1-n) ---


@pytest.mark.parametrize("raw", ["0\\85\\85\\68", "0 \\ 85\\85 \\68 ", "0\\8.5E1\\+85\\68.0"])
def test_several_values_in_one_item_are_those_of_pulses(raw: str) -> None:
    one, several = event(kvp=raw), event(kvp=[0, 85, 85, 68])
    assert one["kvp_values"] == several["kvp_values"] == [0, 85, 85, 68]
    assert one["kvp"] == several["kvp"] == pytest.approx((85 + 85 + 68) / 3)
    assert one["marks"] == several["marks"] and marks(one, "kvp") == ["mean"]


def test_every_field_of_pulses_takes_several_values_in_one_item() -> None:
    row = event(
        kvp="0\\85\\85\\68", current="0\\100\\100\\40", pulse_width="0\\4\\4\\2", exposure="0\\400\\400\\80"
    )  # fmt: skip
    assert row["pulse_width"] == pytest.approx(10 / 3)
    assert row["xray_tube_current"] == pytest.approx((4 * 100 + 4 * 100 + 2 * 40) / 10)
    assert row["exposure"] == 880


def test_items_with_one_and_with_several_values_are_taken_together() -> None:
    assert event(kvp=["80\\82", "84"])["kvp_values"] == [80, 82, 84]


@pytest.mark.parametrize("raw", ["80\\abc\\82", "80\\1_0", "80\\nan", "80\\1e999", "80/82\\84"])
def test_one_component_that_is_no_number_makes_all_unusable(raw: str) -> None:
    row = event(kvp=raw)
    assert row.get("kvp") is None and row.get("kvp_values") is None
    assert raw_of(row, "kvp", "no_number") == raw


@pytest.mark.parametrize("raw", ["80\\\\82", "\\80\\82", "80\\82\\", "80\\ \\82"])
def test_components_without_a_value_are_left_out_and_marked(raw: str) -> None:
    row = event(kvp=raw)
    assert (row["kvp"], row["kvp_values"]) == (81, [80, 82])
    assert marks(row, "kvp") == ["empty", "mean"] and raw_of(row, "kvp", "empty") == raw.strip()


def test_only_components_without_a_value_are_no_value() -> None:
    row = event(kvp="\\\\")
    assert row.get("kvp") is None and marks(row, "kvp") == ["empty"]


def test_a_mark_holds_the_whole_text() -> None:
    raw = "\\".join(f"{number / 1000:.3f}" for number in range(1000, 1600))
    row = event(dap=raw)
    assert row.get("dap") is None and raw_of(row, "dap", "no_number") == raw
    assert len(raw) > 3000


# --- Exposure: the charge of the whole event ---


@pytest.mark.parametrize("values", [SWEEP, "\\".join(map(str, SWEEP)), [*SWEEP, 0]])
def test_exposure_is_the_sum_over_the_projections(values: object) -> None:
    row = event(exposure=values)
    assert row["exposure"] == pytest.approx(139_900) and marks(row, "exposure") == ["sum"]
    assert [value for value in row["exposure_values"] if value] == SWEEP


def test_a_total_beside_its_projections_is_not_added_to_them() -> None:
    for pulses in (None, 11):
        for values in ([139_900, *SWEEP], [*SWEEP, 139_900]):
            row = event(exposure=values, pulses=pulses)
            assert row["exposure"] == 139_900 and marks(row, "exposure") == ["total_and_pulses"]
    # Three pulses of which one has as much as the others together.
    assert event(exposure=[200, 100, 100], pulses=3)["exposure"] == 400
    assert event(exposure=[200, 100, 100], pulses=2)["exposure"] == 200


def test_one_pulse_stated_twice_is_one() -> None:
    assert event(exposure=[500, 500], pulses=1)["exposure"] == 500
    assert event(exposure=[500, 500], pulses=2)["exposure"] == 1000
    # 100 mA for 5 ms are 500 uA.s, for 10 ms 1000 uA.s (uA.s = mA.ms).
    assert event(exposure=[500, 500], current=100, exposure_time=5)["exposure"] == 500
    assert event(exposure=[500, 500], current=100, exposure_time=10)["exposure"] == 1000


def test_part_of_a_charge_is_no_charge() -> None:
    few = event(exposure=[500, 510], pulses=98)
    assert few.get("exposure") is None and few["exposure_values"] == [500, 510]
    assert marks(few, "exposure") == ["pulses_missing"]
    assert raw_of(few, "exposure", "pulses_missing") == "2 values, sum 1010, 98 pulses"
    for values in (["500", "abc"], ["500", "510", "abc"], "500\\\\510"):
        row = event(exposure=values)
        assert row.get("exposure") is None and "pulses_missing" in marks(row, "exposure")
    # Number of Pulses says that none is missing.
    assert event(exposure="500\\\\510", pulses=2)["exposure"] == 1010


def test_fewer_values_than_pulses_are_all_of_them_if_current_and_time_say_so() -> None:
    row = event(exposure=[500, 510], pulses=3, current=100, exposure_time=10)
    assert row["exposure"] == 1010 and "pulses_differ" in marks(row, "exposure")
    # 40 values of 500 uA.s where current and time say 41 of them: 100 mA for 205 ms.
    row = event(exposure=[500] * 40, pulses=41, current=100, exposure_time=205)
    assert row.get("exposure") is None and marks(row, "exposure") == ["pulses_missing"]


def test_more_values_than_pulses_are_all_added_and_marked() -> None:
    row = event(exposure=SWEEP, pulses=1)
    assert row["exposure"] == 139_900 and marks(row, "exposure") == ["sum", "pulses_differ"]


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=20))
def test_a_sum_is_that_of_all_values_or_one_of_them_or_missing(values: list[int]) -> None:
    row = event(exposure=values)
    assert row["exposure"] in (sum(values), max(values))
    assert event(exposure=values, pulses=len(values))["exposure"] == sum(values)


# --- tube current: weighted with time ---


def test_current_is_weighted_with_the_width_of_each_pulse() -> None:
    # 2 ms of 10 mA and 8 ms of 100 mA: 820 uA.s in 10 ms.
    row = event(current=[10, 100], pulse_width=[2, 8], exposure=[20, 800])
    assert row["xray_tube_current"] == pytest.approx(82)
    assert marks(row, "xray_tube_current") == ["weighted_mean"]
    assert row["exposure"] == pytest.approx(row["xray_tube_current"] * 10)
    # A pulse without X-rays takes no part.
    assert event(current=[0, 10, 100], pulse_width=[5, 2, 8])["xray_tube_current"] == 82


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"pulse_width": 4},
        {"pulse_width": [2, 8, 8]},
        {"pulse_width": [2, 8], "pulses": 98},
        {"pulse_width": "2\\\\8"},
        {"pulse_width": [0, 0]},
    ],
)
def test_current_without_the_width_of_each_pulse_is_the_plain_mean(more: dict) -> None:
    row = event(current=[10, 100], **more)
    assert row["xray_tube_current"] == 55 and marks(row, "xray_tube_current") == ["mean"]


def test_voltage_and_width_are_means_whatever_the_width() -> None:
    row = event(kvp=[60, 80], pulse_width=[2, 8], current=[0, 0])
    assert (row["kvp"], row["pulse_width"], row["xray_tube_current"]) == (70, 5, 0)


# --- declarations and images ---


def test_the_dictionary_says_of_each_field_of_pulses_how_its_value_is_formed_and_why() -> None:
    fields = [field for field in PROJECTION_EVENT.fields if field.per_pulse]
    assert {field.name for field in fields} == {
        "pulse_width", "kvp", "xray_tube_current", "exposure",
    }  # fmt: skip
    for field in fields:
        said = PROJECTION_EVENT.field(f"{field.name}_values").description
        assert PULSE_RULES[field.per_pulse.rule] in said and field.per_pulse.why in said


def test_a_sweep_that_gives_its_exposure_for_each_projection_has_their_sum() -> None:
    made = samples.mammography_image("hologic-dimensions")
    for keyword in (
        "KVP", "Exposure", "ExposureInuAs", "ExposureInmAs", "ExposureTime", "ExposureTimeInms", "ExposureTimeInuS",
        "XRayTubeCurrent", "XRayTubeCurrentInmA", "XRayTubeCurrentInuA",
    ):  # fmt: skip
        if keyword in made:
            del made[keyword]
    acquisition = Dataset()
    acquisition.PerProjectionAcquisitionSequence = []
    for current, time in ((100, 20), (50, 60)):
        one = Dataset()
        one.KVP, one.XRayTubeCurrentInmA, one.ExposureTimeInms = "30", current, time
        one.ExposureInmAs = current * time / 1000
        acquisition.PerProjectionAcquisitionSequence.append(one)
    made.XRay3DAcquisitionSequence = [acquisition]
    row = read(as_bytes(made)).events[0]
    # 2 mA.s and 3 mA.s; 5000 uA.s in 80 ms are 62.5 mA.
    assert row["exposure"] == pytest.approx(5000) and marks(row, "exposure") == ["sum"]
    assert row["exposure_time"] == 80 and row["xray_tube_current"] == pytest.approx(62.5)
    assert row["kvp"] == 30
    acquisition.PerProjectionAcquisitionSequence[1].ExposureInmAs = None
    row = read(as_bytes(made)).events[0]
    assert row.get("exposure") is None and "pulses_missing" in marks(row, "exposure")
