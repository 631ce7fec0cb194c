"""The uncertainty of a quantile: its bootstrap interval, from the exact distribution of the
bootstrap instead of from drawn samples.

The interval is that of the percentile bootstrap (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 13): from the 2.5th to the 97.5th percentile of the quantile of samples of
the same size, drawn with replacement from the values. For order statistics this distribution is
known (Hutson and Ernst, The exact bootstrap mean and variance of an L-estimator, J. R. Statist.
Soc. B 62, 2000): nothing has to be drawn, there is no seed, and the same values always give the
same interval.

Of n values x_1 <= ... <= x_n the quantile is (1 - g) x_j + g x_{j+1}, with j = 1 + floor(q (n - 1))
and g the fractional part (linear interpolation, as in `quantile_cont` and numpy). In a drawn
sample, the probability that at least j of n draws are among the k least values is that of a
binomial distribution; the probability that exactly j of them are, while all others are from the
l-th on, is C(n, j) (k/n)^j ((n-l+1)/n)^(n-j). This gives the probability of each pair (x_k, x_l) in
the places j and j + 1.
"""

import math
from functools import lru_cache
from itertools import pairwise

LEVEL = 0.95
SIDES = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
# Number of values around the expected end of an interval that can affect it
# (tests/unit/test_bootstrap.py).
REACH = 48
_Z = 1.959963984540054  # the normal distribution's quantile at the sides
_NEGLIGIBLE = 1e-12


def fewest(q: float) -> int:
    """Return the least number of values for which there is an interval.

    With fewer values, even the interval from the least to the largest value does not contain the
    quantile of the sampled population with the required confidence, since that is 1 - q^n - (1-q)^n
    (David and Nagaraja, Order Statistics, 3rd edition, 7.1), and all bootstrap intervals lie within
    it. The number is 6 for the median, 11 for the 75th percentile, and 59 for the 95th.
    """
    n = 2
    while 1 - q**n - (1 - q) ** n < LEVEL:
        n += 1
    return n


def first_of(q: float, side: int) -> str:
    """Return the first rank needed for an end of the interval, as SQL over the number `n`.

    2 * REACH + 1 values are needed from this rank on. side: 0 for the lower end, 1 for the upper
    one.
    """
    sign = "+" if side else "-"
    return (
        f"greatest(1, round(n * {q!r} {sign} {_Z!r} * sqrt(n * {q!r} * {1 - q!r}))::BIGINT - "
        f"{REACH})"
    )


def end(n: int, q: float, side: int, values: list[float], first: int) -> float:
    """Return an end of the interval.

    values: the needed values of the sample in ascending order, from the rank `first` on.
    """
    target = SIDES[side]

    def at(rank: int) -> float:
        return values[rank - first]

    g = _place(n, q)[1]
    for rank, below, pairs in _steps(n, q, side):
        # Up to the value of this rank: either both places are, or their mean is.
        low, high = at(rank), at(min(rank + 1, n))
        means = sorted((max(low, (1 - g) * at(k) + g * at(over)), p) for k, over, p in pairs)
        for value, probability in means:
            if below >= target or value > high:
                break
            below += probability
            low = value
        if below >= target:
            return low
    raise AssertionError("the distribution ends below its sum")


def _place(n: int, q: float) -> tuple[int, float]:
    """Return j and g of the quantile."""
    whole = math.floor(q * (n - 1))
    return whole + 1, q * (n - 1) - whole


@lru_cache(2048)
def _steps(n: int, q: float, side: int) -> list[tuple[int, float, list[tuple[int, int, float]]]]:
    """Return the ranks K at which the end can be.

    Each comes with the probability that both places of a drawn sample are at most x_K, and with the
    pairs k <= K < l and their probabilities.
    """
    j, g = _place(n, q)
    target = SIDES[side]
    rank = min(n, max(1, round(n * q + (_Z if side else -_Z) * math.sqrt(n * q * (1 - q)))))
    while rank > 1 and _at_most(n, rank - 1, j) >= target:
        rank -= 1
    while _at_most(n, rank, j) < target:
        rank += 1
    out = []
    while True:
        # Without a second place, only one value matters.
        both = _at_most(n, rank, j + 1) if g else _at_most(n, rank, j)
        out.append((rank, both, _pairs(n, j, rank) if g else []))
        if both >= target:
            return out
        rank += 1


def _pairs(n: int, j: int, rank: int) -> list[tuple[int, int, float]]:
    """Return pairs of ranks k <= `rank` < l in the places j and j + 1, with their probabilities.

    Pairs with negligible probability are left out.
    """
    if rank == n:
        return []
    ways = math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1)
    middle = (n - j) * math.log((n - rank) / n)  # so that neither factor overflows or underflows
    below = [
        math.exp(ways + middle + j * math.log(rank / n))
    ]  # that j draws are among the k least, from k = rank down
    above = [1.0]  # that the others are from the l-th on, from l = rank + 1 up
    while below[-1] >= _NEGLIGIBLE and rank > len(below):
        below.append(math.exp(ways + middle + j * math.log((rank - len(below)) / n)))
    while above[-1] >= _NEGLIGIBLE and rank + len(above) < n:
        above.append(math.exp((n - j) * math.log((n - rank - len(above)) / n) - middle))
    below.append(0.0)
    above.append(0.0)
    out = []
    for k, (much, less) in enumerate(pairwise(below)):
        for over, (most, least) in enumerate(pairwise(above)):
            probability = (much - less) * (most - least)
            if probability < _NEGLIGIBLE:
                break
            out.append((rank - k, rank + 1 + over, probability))
    return out


def _at_most(n: int, k: int, j: int) -> float:
    """Return the probability that the j-th value of a drawn sample is at most the k-th value.

    This is the probability of at least j successes in n draws, each with the probability k/n.
    """
    if k >= n or j <= 0:
        return 1.0
    return _beta(k / n, j, n - j + 1) if k > 0 and j <= n else 0.0


def _beta(x: float, a: int, b: int) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        + b * math.log1p(-x)
        - math.log(a)
    )
    # Lentz's method, evaluated forwards: numerators d_1, d_2, ... over 1 + ...
    fraction = upper = 1.0
    lower = 0.0
    for m in range(100_000):
        for numerator in (
            (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if m else None),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            if numerator is None:
                continue
            lower = 1 / (1 + numerator * lower)
            upper = 1 + numerator / upper
            fraction *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return front / fraction
