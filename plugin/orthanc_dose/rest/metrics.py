"""Metrics in the text format of Prometheus (version 0.0.4), and the times of requests among them.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

MIME = "text/plain; version=0.0.4; charset=utf-8"
# Upper bounds in seconds: a list takes tens of milliseconds, and a person waits some seconds.
_BOUNDS = (0.01, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0)

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """A value. suffix: follows the name of its family, as in _bucket."""

    value: float
    labels: Labels
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """A metric. kind: gauge, counter or histogram; about: what it measures, with the unit."""

    name: str
    kind: str
    about: str
    samples: tuple[Sample, ...]


def gauge(name: str, about: str, value: float | None) -> Family:
    """Return a gauge with one value; without a sample if the value is None."""
    return Family(name, "gauge", about, () if value is None else (Sample(value, {}),))


def gauge_by(name: str, about: str, label: str, values: Mapping[str, float]) -> Family:
    """Return a gauge with a value for each value of a label."""
    samples = tuple(Sample(value, {label: key}) for key, value in values.items())
    return Family(name, "gauge", about, samples)


def counter(name: str, about: str, value: float) -> Family:
    """Return a counter with one value."""
    return Family(name, "counter", about, (Sample(value, {}),))


def text_of(families: Iterable[Family]) -> str:
    """Return the families as text. A family without samples is left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            about = family.about.replace("\\", "\\\\").replace("\n", "\\n")
            lines += [f"# HELP {family.name} {about}", f"# TYPE {family.name} {family.kind}"]
            lines += [
                f"{family.name}{one.suffix}{_labels(one.labels)} {_number(one.value)}"
                for one in family.samples
            ]
    return "\n".join(lines) + "\n"


class RequestTimes:
    """Number and duration of requests. Safe to be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Requests by method, route and class of the status: one number for each bound and one
        # beyond, and the sum of seconds.
        self._counts: dict[tuple[str, str, str], tuple[list[int], list[float]]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Add a request. route: its template, never its address, which has identifiers."""
        key = method, route, f"{status // 100}xx"
        with self._lock:
            counts, total = self._counts.setdefault(key, ([0] * (len(_BOUNDS) + 1), [0.0]))
            counts[bisect_left(_BOUNDS, seconds)] += 1
            total[0] += seconds

    def family(self) -> Family:
        """Return a histogram of all requests so far, in seconds."""
        with self._lock:
            kept = {key: (list(counts), total[0]) for key, (counts, total) in self._counts.items()}
        samples: list[Sample] = []
        for (method, route, status), (counts, total) in sorted(kept.items()):
            labels = {"method": method, "route": route, "status": status}
            bounds = (*map(_number, _BOUNDS), "+Inf")
            samples += [
                Sample(number, labels | {"le": bound}, "_bucket")
                for bound, number in zip(bounds, accumulate(counts), strict=True)
            ]
            samples += [Sample(total, labels, "_sum"), Sample(sum(counts), labels, "_count")]
        about = "Time in seconds from a request to its answer, by the template of its route."
        return Family("orthanc_dose_request_seconds", "histogram", about, tuple(samples))


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
