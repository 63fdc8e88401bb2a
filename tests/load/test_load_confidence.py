import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.load.confidence import binomial_cdf, incomplete_beta, rank_bounds, rate_bounds


def exact_cdf(successes: int, trials: int, rate: float) -> float:
    """The sum itself."""
    return math.fsum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(successes + 1))


@pytest.mark.parametrize(
    ("failures", "total", "low", "high"),
    [
        pytest.param(0, 2994, 0, 0.00100008, id="2994-clean-ones-are-not-enough-for-a-tenth-of-a-percent"),
        pytest.param(0, 2995, 0, 0.00099974, id="2995-are"),
        pytest.param(0, 848, 0, 0.0035265, id="848-leave-0.35-percent"),
        pytest.param(3, 10, 0.0872644, 0.6066242, id="published-clopper-pearson-90-percent-two-sided"),
        pytest.param(1, 100, 0.00051280, 0.0465598, id="one-of-a-hundred"),
        pytest.param(10, 10, 0.7411344, 1, id="all-failed"),
        pytest.param(0, 0, 0, 1, id="no-sample"),
    ],
)
def test_rate_bounds(failures: int, total: int, low: float, high: float) -> None:
    """The bounds are the tabulated ones."""
    assert rate_bounds(failures, total) == pytest.approx((low, high), rel=1e-4)


@settings(deadline=None)
@given(st.integers(1, 120), st.data(), st.floats(0.001, 0.999))
def test_the_binomial_is_the_sum(trials: int, data: st.DataObject, rate: float) -> None:
    """The beta function gives what adding up the terms gives."""
    successes = data.draw(st.integers(0, trials))
    assert binomial_cdf(successes, trials, rate) == pytest.approx(exact_cdf(successes, trials, rate), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5000), st.data())
def test_bounds_are_monotone(total: int, data: st.DataObject) -> None:
    """One failure more raises both bounds; they lie on either side of what was seen."""
    failures = data.draw(st.integers(0, total - 1))
    low, high = rate_bounds(failures, total)
    more_low, more_high = rate_bounds(failures + 1, total)
    assert low <= failures / total <= high
    assert low < more_low
    assert high <= more_high


@pytest.mark.parametrize(
    ("quantile", "total", "has_upper"),
    [
        pytest.param(0.95, 58, False, id="58-values-bound-no-p95"),
        pytest.param(0.95, 59, True, id="59-do"),
        pytest.param(0.99, 298, False, id="298-values-bound-no-p99"),
        pytest.param(0.99, 299, True, id="299-do"),
        pytest.param(0.5, 4, False, id="4-values-bound-no-median"),
        pytest.param(0.5, 5, True, id="5-do"),
    ],
)
def test_the_smallest_samples(quantile: float, total: int, *, has_upper: bool) -> None:
    """An upper bound takes as many values as the textbook says."""
    assert (rank_bounds(quantile, total)[1] is not None) is has_upper


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_rank_bounds_are_the_tightest(total: int, quantile: float) -> None:
    """The ranks hold with 95 %, and the next ones inward don't."""
    low, high = rank_bounds(quantile, total)
    if high is not None:
        assert exact_cdf(high - 1, total, quantile) >= 0.95 - 1e-9
        assert high == 1 or exact_cdf(high - 2, total, quantile) < 0.95 + 1e-9
    if low is not None:
        assert 1 - exact_cdf(low - 1, total, quantile) >= 0.95 - 1e-9
        assert low == total or 1 - exact_cdf(low, total, quantile) < 0.95 + 1e-9


def test_no_value_has_no_bounds() -> None:
    """Nothing measured, nothing said."""
    assert rank_bounds(0.95, 0) == (None, None)


def test_the_ends_of_the_beta_function() -> None:
    """It is 0 at 0 and 1 at 1."""
    assert (incomplete_beta(2, 3, 0), incomplete_beta(2, 3, 1)) == (0, 1)


def test_coverage_of_the_bounds() -> None:
    """Over all outcomes of 80 requests at a true rate of 2 %, each bound is wrong in at most 5 %."""
    total, rate = 80, 0.02
    chances = [math.comb(total, k) * rate**k * (1 - rate) ** (total - k) for k in range(total + 1)]
    bounds = [rate_bounds(k, total) for k in range(total + 1)]
    assert sum(chance for chance, (low, _) in zip(chances, bounds, strict=True) if low > rate) <= 0.05
    assert sum(chance for chance, (_, high) in zip(chances, bounds, strict=True) if high < rate) <= 0.05
