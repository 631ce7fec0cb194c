"""The effort of a run of the tests: enough to check a change (`make test`), or far more (`make
test-long`).

The environment variable DOSE_TESTS=long selects the long run. Both are reproducible: the short one
tries the same examples each time, the long one those of the seed that it prints.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get("DOSE_TESTS") == "long"
# The seed of the long run.
SEED = os.environ.get("DOSE_TESTS_SEED", "1")
# Factor of examples: a property that is tried with 40 is tried with 800 in the long run.
MORE = 20

# No time limits: the speed of the machine is not what these tests are about.
_COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}


def choose_profile() -> None:
    """Tell Hypothesis how many examples to use for properties that do not specify it."""
    settings.register_profile("short", **_COMMON, max_examples=50, derandomize=True)
    settings.register_profile("long", **_COMMON, max_examples=50 * MORE)
    settings.load_profile("long" if LONG else "short")


def examples(number: int) -> settings:
    """Return settings with `number` examples, or MORE times as many in the long run.

    For properties that are slow to try (a store, a file).

    A failing example is reported as it was found: shrinking it takes minutes, which only the long
    run does.
    """
    phases = tuple(Phase) if LONG else (Phase.explicit, Phase.generate)
    return settings(
        max_examples=number * (MORE if LONG else 1),
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
