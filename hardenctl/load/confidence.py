"""What a sample allows to be said, one-sided at 95 %: exact binomial bounds, and order statistics for percentiles.

The bounds are Clopper and Pearson's (1934). For a percentile nothing is assumed of the latencies' shape: how many of
`n` values lie below the true one is binomial, whatever their distribution. Both take requests as independent; a stall
that hits many requests at once makes the true uncertainty larger, never smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable

LEVEL = 0.95

_TINY = 1e-300
_STEPS = 100


def rate_bounds(failures: int, total: int, level: float = LEVEL) -> tuple[float, float]:
    """The lower and the upper one-sided bound of a rate, `failures` of `total`; (0, 1) without a sample.

    Each holds with `level` on its own. 2,994 clean requests leave an upper bound of just above 0.1 %, 2,995 one below.
    """
    if total <= 0:
        return 0.0, 1.0
    low = 0.0
    if failures:
        # the rate at which so many failures or more become as likely as 1 - level
        low = _solve(lambda rate: 1 - binomial_cdf(failures - 1, total, rate), 1 - level)
    high = 1.0
    if failures < total:
        high = _solve(lambda rate: 1 - binomial_cdf(failures, total, rate), level)
    return low, high


def rank_bounds(quantile: float, total: int, level: float = LEVEL) -> tuple[int | None, int | None]:
    """The ranks (1 is the smallest) of the values below and above which a quantile lies with confidence.

    None where the sample is too small to have such a value: an upper bound of p95 takes 59 values, of p99 299.
    """
    high = _first(lambda rank: binomial_cdf(rank - 1, total, quantile) >= level, total)
    above = _first(lambda rank: 1 - binomial_cdf(rank - 1, total, quantile) < level, total)
    low = total if above is None else above - 1
    return low or None, high


def binomial_cdf(successes: int, trials: int, rate: float) -> float:
    """The probability of at most so many successes."""
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return incomplete_beta(trials - successes, successes + 1, 1 - rate)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22, modified Lentz)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only on this side; the function is symmetric
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(front) * _fraction(a, b, x) / a)


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result, step = d, 0.0
    m = 0
    while abs(step - 1) > 1e-14:  # noqa: PLR2004 - near the resolution of a float
        m += 1
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + numerator * d)
            c = _away_from_zero(1 + numerator / c)
            step = c * d
            result *= step
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _solve(rising: Callable[[float], float], wanted: float) -> float:
    """Where a function that rises from 0 to 1 over [0, 1] takes a value, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _first(true_from: Callable[[int], bool], total: int) -> int | None:
    """The first rank of 1..total from which a condition holds, None where it never does."""
    if total < 1 or not true_from(total):
        return None
    low, high = 1, total
    while low < high:
        middle = (low + high) // 2
        if true_from(middle):
            high = middle
        else:
            low = middle + 1
    return low
