"""The text of metrics, as Prometheus' own parser reads it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse

from orthanc_dose.rest.metrics import RequestTimes, counter, gauge, gauge_by, text_of
from tests.support.effort import examples


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in parse(text)
        for one in family.samples
    }


def test_a_metric_without_a_value_is_absent() -> None:
    text = text_of([gauge("with", "One.", 2.5), gauge("without", "None.", None)])
    assert samples(text) == {("with", ()): 2.5}
    assert "without" not in text


def test_types_and_descriptions_are_read_back() -> None:
    text = text_of([gauge("a", "Back\\slash and\nline.", 1), counter("b_total", "Things.", 3)])
    # The parser names a counter without its suffix.
    found = {one.name: (one.type, one.documentation) for one in parse(text)}
    assert found == {"a": ("gauge", "Back\\slash and\nline."), "b": ("counter", "Things.")}


@examples(50)
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20), st.floats(0, 1e15)))
def test_any_label_is_read_back(values: dict[str, float]) -> None:
    found = samples(text_of([gauge_by("one", "About.", "label", values)]))
    assert found == {("one", (("label", label),)): value for label, value in values.items()}


def test_times_are_in_cumulative_buckets() -> None:
    times = RequestTimes()
    for status, seconds in ((200, 0.01), (204, 0.02), (200, 3.0), (200, 100.0), (503, 0.5)):
        times.note("GET", "/studies/{study_id}", status, seconds)
    found = samples(text_of([times.family()]))

    def of(suffix: str, status: str, **more: str) -> float:
        labels = {"method": "GET", "route": "/studies/{study_id}", "status": status} | more
        return found[f"orthanc_dose_request_seconds_{suffix}", tuple(sorted(labels.items()))]

    # A bound belongs to its bucket ("le": less or equal), and each bucket contains those below it.
    bounds = {
        "0.01": 1,
        "0.05": 2,
        "0.1": 2,
        "0.25": 2,
        "1": 2,
        "2.5": 2,
        "10": 3,
        "60": 3,
        "+Inf": 4,
    }
    assert {bound: of("bucket", "2xx", le=bound) for bound in bounds} == bounds
    assert (of("count", "2xx"), of("count", "5xx")) == (4, 1)
    assert abs(of("sum", "2xx") - 103.03) < 1e-9
