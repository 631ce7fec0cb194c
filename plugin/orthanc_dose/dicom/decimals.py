"""Sums and means of numbers that were written as decimals, without the noise of binary fractions."""

from collections.abc import Collection, Iterable
from math import fsum


def without_noise(value: float) -> float:
    """Return a number without the noise of binary fractions, which shows from the 13th digit on."""
    return float(f"{value:.12g}")


def exact_sum(values: Iterable[float]) -> float:
    """Return the sum as the decimals give it: 0.1 + 0.2 is 0.3."""
    return without_noise(fsum(values))


def exact_mean(values: Collection[float]) -> float:
    """Return the mean as the decimals give it. values: at least one."""
    return without_noise(fsum(values) / len(values))
