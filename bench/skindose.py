"""Skin dose maps: an event, a long study, a rotation, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter, thread_time
from typing import Any

from orthanc_dose import skindose
from orthanc_dose.skindose.openskin import openskin_map

from .results import Results

_SIEMENS = {"manufacturer": "Siemens", "manufacturer_model_name": "AXIOM-Artis"}
Rows = list[dict[str, Any]]


def run(quick: bool) -> Iterator[Results]:
    results = Results(
        "skindose",
        "Skin dose maps, from rows of events to the map",
        "All corrections; CPU time of the thread, medians. Each event has its own angles and beam "
        "quality. Beside it openSkin's rules on the same events, which it needs 1.7 s an event for. Aim: "
        "1 ms an event at 16,000 cells, 316 events in 1 s, a rotation of 210 poses in 100 ms.",
        ("phantom", "cells", "events", "poses", "ms", "ms a pose", "longest ms", "aim ms"),
    )
    profile = skindose.profile_for(_SIEMENS)
    assert profile is not None
    turns = 3 if quick else 15
    phantoms = (("cuboid", "raised"), ("man", "raised"), ("man", "side"), ("child_5", "raised"))
    for phantom, arms in phantoms:
        settings = skindose.Settings(phantom=phantom, arms=arms)
        for events, poses, aim in ((events_of(316), 316, 1000.0), (rotation(), 210, 100.0)):
            do = partial(skindose.calculate, events, [], skindose.Patient(), profile, settings)
            made = do()
            assert made.phantom is not None and made.state == "calculated"
            took = median(_time(do) for _ in range(turns))
            results.add(
                f"{phantom}, {arms}",
                len(made.phantom.area),
                len(events),
                poses,
                took * 1e3,
                took * 1e3 / poses,
                _longest(made, events, profile, settings) * 1e3,
                aim,
                phantom=phantom,
                arms=arms,
                cells=len(made.phantom.area),
                events=len(events),
                poses=poses,
                ms=took * 1e3,
                aim_ms=aim,
            )
    few = events_of(20)
    took = median(_time(lambda: openskin_map(few)) for _ in range(turns))
    results.add(
        "openSkin's rules", 6_300, 20, 20, took * 1e3, took * 50, "", "",
        phantom="openskin", events=20, poses=20, ms=took * 1e3,
    )  # fmt: skip
    yield results


def events_of(count: int) -> Rows:
    """Return events with fields of 8 to 16 cm from many sides, half of them through the table."""
    return [
        _event(
            event_number=at + 1,
            dap=2e-3 * (0.65 + at % 7 / 4),
            positioner_primary_angle=float(at * 37 % 181 - 90),
            positioner_secondary_angle=float(at * 13 % 51 - 25),
            table_lateral_position=500.0 + at % 40,
            kvp=60.0 + at % 45,
        )
        for at in range(count)
    ]


def rotation() -> Rows:
    """Return one rotation of 210 degrees, in 210 poses."""
    return [_event(positioner_primary_angle=105.0, positioner_primary_end_angle=-105.0)]


def _event(**values: Any) -> dict[str, Any]:
    copper = {"material": {"scheme": "SCT", "value": "66925006", "meaning": "Copper"}}
    return {
        "event_number": 1,
        "dose_rp": 0.2,
        "dap": 2e-3,
        "kvp": 80.0,
        "xray_filters": [{**copper, "thickness_minimum": 0.3, "thickness_maximum": 0.3}],
        "reference_point_definition": "15cm from Isocenter toward Source",
        "distance_source_to_isocenter": 785.0,
        "positioner_primary_angle": 0.0,
        "positioner_secondary_angle": 0.0,
        "table_longitudinal_position": 0.0,
        "table_lateral_position": 500.0,
        "table_height_position": 150.0,
        "patient_position": "HFS",
        **values,
    }


def _time(do: Callable[[], object]) -> float:
    start = thread_time()
    do()
    return thread_time() - start


def _longest(
    made: skindose.SkinDose, events: Rows, profile: skindose.Profile, settings: skindose.Settings
) -> float:
    """Return the 99th percentile of the time of one pose, in s: Python's lock is free between them."""
    took, start = [], perf_counter()
    for _ in skindose.poses_of(made, events, [], profile, settings):
        took.append(perf_counter() - start)
        start = perf_counter()
    return sorted(took)[int(len(took) * 0.99) - 1]
