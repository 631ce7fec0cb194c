"""A control band around averages over time, and the change of each: an X-bar chart of Shewhart
(NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2).

Each period is compared with the periods before it, as it would have been when it ended: the centre
is the mean of all their values, s their pooled standard deviation within periods, and the limits
are three standard errors of a mean of the period's n values from it, centre ± 3 s/√n; none is below
zero, since doses are not. Only means have such a band: a chart of medians would need their own
standard error, which the normal distribution does not give for doses.
"""

import math
from collections.abc import Callable

from .chart_row import Row

# The band begins after at least two periods whose numbers of values, minus one each, have at least
# this sum (degrees of freedom): with fewer, s itself is so uncertain that chance alone would put
# about one mean in a hundred outside, where three in a thousand are intended.
FEWEST_PERIODS, FEWEST_DEGREES = 2, 20
_CLOSE = 1e-9  # relative to the centre: tolerance for rounding


def with_band(line: list[Row], is_next: Callable[[Row, Row], bool]) -> None:
    """Add to the rows of a line what the page shows of the control band.

    The rows are in the order of time with `mean`, `variance` (within the period) and `n`. Added are
    `change` in percent from the period before, None if that one has no value; `centre`, `lower` and
    `upper`, None if there is too little before; `out`: "above", "below" or None. Removes
    `variance`. is_next: whether a row's period directly follows another's.
    """
    n, total, squares = 0, 0.0, 0.0
    before: Row | None = None
    for periods, row in enumerate(line):
        row["change"] = (
            (row["mean"] / before["mean"] - 1) * 100
            if before is not None and before["mean"] != 0 and is_next(before, row)
            else None
        )
        band = None
        if periods >= FEWEST_PERIODS and n - periods >= FEWEST_DEGREES:
            centre, width = total / n, 3 * math.sqrt(squares / (n - periods) / row["n"])
            band = (centre, max(0.0, centre - width), centre + width)
        row["centre"], row["lower"], row["upper"] = band or (None, None, None)
        row["out"] = _side(row["mean"], band)
        n, total = n + row["n"], total + row["mean"] * row["n"]
        squares += (row.pop("variance") or 0.0) * (row["n"] - 1)
        before = row


def _side(mean: float, band: tuple[float, float, float] | None) -> str | None:
    if band is None:
        return None
    centre, lower, upper = band
    return (
        "above"
        if mean > upper + centre * _CLOSE
        else "below"
        if mean < lower - centre * _CLOSE
        else None
    )
