"""Bootstrap intervals against the bootstrap itself: all samples of few values, and many drawn ones
of more.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.charts import bootstrap
from tests.support.effort import examples

QUANTILES = (0.5, 0.75, 0.95)
VALUES = st.sampled_from((1.0, 2.5, 1e-7)) | st.floats(1e-9, 1e4)


def end(values: np.ndarray, q: float, side: int) -> float:
    """The end of an interval, from the values alone that the store would give."""
    n = len(values)
    first = eval(
        bootstrap.first_of(q, side).replace("::BIGINT", ""),
        {"n": n, "greatest": max, "sqrt": math.sqrt, "round": round},
    )
    around = np.sort(values)[first - 1 : first + 2 * bootstrap.REACH]
    return bootstrap.end(n, q, side, around.tolist(), first)


@examples(30)
@given(values=st.lists(VALUES, min_size=1, max_size=5), q=st.sampled_from((*QUANTILES, 0.25, 0.3)))
def test_of_few_values_it_is_the_percentile_of_all_samples(values: list[float], q: float) -> None:
    n = len(values)
    samples = np.array(values)[np.array(list(itertools.product(range(n), repeat=n)))]
    every = np.sort(np.quantile(samples, q, axis=1))
    for side, share in enumerate(bootstrap.SIDES):
        # The least value that so large a share of the samples does not exceed.
        expected = every[math.ceil(share * len(every) - 1e-9) - 1]
        assert end(np.array(values), q, side) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("q", QUANTILES)
@pytest.mark.parametrize(
    ("n", "drawn"),
    [(12, 100_000), (20, 100_000), (60, 40_000), (61, 40_000), (250, 10_000), (3_001, 2_000)],
    ids=str,
)
@pytest.mark.parametrize("kind", ["skewed", "ties"])
def test_of_more_values_it_is_that_of_drawn_samples(
    n: int, drawn: int, q: float, kind: str
) -> None:
    random = np.random.default_rng(n)
    values = random.lognormal(2, 0.6, n)
    values = values.round(0 if kind == "ties" else 12)
    found = [np.quantile(random.choice(values, (500, n)), q, axis=1) for _ in range(drawn // 500)]
    drawn_ones = np.concatenate(found)
    for side, share in enumerate(bootstrap.SIDES):
        at = end(values, q, side)
        # Five standard errors of a share of so many samples.
        error = 5 * math.sqrt(share * (1 - share) / drawn)
        assert (drawn_ones <= at * (1 + 1e-12)).mean() >= share - error
        assert (drawn_ones < at * (1 - 1e-12)).mean() <= share + error


def test_the_values_that_the_store_gives_are_enough() -> None:
    for n in (*range(1, 400), 1_000, 4_999, 100_000, 1_000_000, 30_000_000):
        for q, side in itertools.product(QUANTILES, (0, 1)):
            first = max(
                1,
                round(n * q + (1, -1)[side == 0] * bootstrap._Z * math.sqrt(n * q * (1 - q)))
                - bootstrap.REACH,
            )
            for rank, _, pairs in bootstrap._steps(n, q, side):
                ranks = {
                    rank,
                    min(rank + 1, n),
                    *(k for k, _, _ in pairs),
                    *(over for _, over, _ in pairs),
                }
                assert first <= min(ranks) and max(ranks) <= min(n, first + 2 * bootstrap.REACH)


@pytest.mark.parametrize(
    ("n", "j", "k"), [(5, 2, 3), (40, 39, 37), (1_000, 500, 480), (20_000, 19_000, 18_930)]
)
def test_the_distribution_of_an_order_statistic_is_binomial(n: int, j: int, k: int) -> None:
    # The sum of the binomial distribution, with integers.
    expected = (
        sum(math.comb(n, i) * k**i * (n - k) ** (n - i) for i in range(j, n + 1)) / n**n
        if n <= 1_000
        else None
    )
    if expected is None:  # of 20,000 values by logarithms
        logs = [
            math.lgamma(n + 1)
            - math.lgamma(i + 1)
            - math.lgamma(n - i + 1)
            + i * math.log(k / n)
            + (n - i) * math.log(1 - k / n)
            for i in range(j, n + 1)
        ]
        expected = math.fsum(map(math.exp, logs))
    assert bootstrap._at_most(n, k, j) == pytest.approx(expected, rel=1e-8)


def test_the_fewest_values_are_those_whose_range_holds_the_quantile_often_enough() -> None:
    for q, expected in ((0.5, 6), (0.75, 11), (0.95, 59)):
        assert bootstrap.fewest(q) == expected
        assert (
            1 - q**expected - (1 - q) ** expected
            >= 0.95
            > 1 - q ** (expected - 1) - (1 - q) ** (expected - 1)
        )
