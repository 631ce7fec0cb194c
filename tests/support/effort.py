"""How much a run of the tests tries: what a change has to prove (`make test`), or far more (`make
test-long`).

The environment variable DOSE_TESTS=long makes it the long one. Both are reproducible: the short one
tries the same examples each time, the long one those of the seed that it names."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get("DOSE_TESTS") == "long"
# Of what the long run draws.
SEED = os.environ.get("DOSE_TESTS_SEED", "1")
# Of examples: a property that is tried with 40 is tried with 800 in the long run.
MORE = 20

# No time limits: how fast the machine is is not what these tests are about.
_COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}


def choose_profile() -> None:
    """Tell Hypothesis how many examples a property gets that says nothing itself."""
    settings.register_profile("short", **_COMMON, max_examples=50, derandomize=True)
    settings.register_profile("long", **_COMMON, max_examples=50 * MORE)
    settings.load_profile("long" if LONG else "short")


def examples(number: int) -> settings:
    """Give a property that is slow to try (a store, a file) so many examples, in the long run MORE
    times as many.

    Its failing example is told as it was found: making it smaller takes minutes, which only the
    long run has."""
    phases = tuple(Phase) if LONG else (Phase.explicit, Phase.generate)
    return settings(
        max_examples=number * (MORE if LONG else 1),
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
