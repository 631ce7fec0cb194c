"""Numbers that come from outside: from JSON, where any number may stand, and some that are none."""

import math
from typing import TypeGuard


def is_number(value: object, low: float, high: float) -> TypeGuard[float]:
    """Whether this is a number of this range. True, NaN and infinity are none."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and low <= value <= high
        and math.isfinite(value)
    )


def is_whole_number(value: object, low: float, high: float) -> TypeGuard[float]:
    """Whether this is a whole number of this range; 5.0 is one, as in JSON."""
    return is_number(value, low, high) and value == int(value)
