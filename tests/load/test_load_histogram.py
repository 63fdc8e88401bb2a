import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.load.histogram import Histogram, bucket_of, edges

LATENCIES = st.floats(min_value=0, max_value=3_600_000, allow_nan=False)


@given(LATENCIES)
def test_a_bucket_holds_its_value_to_three_digits(milliseconds: float) -> None:
    """Each value lies in its bucket, which is no wider than 1/2048 of it or a microsecond."""
    low, high = edges(bucket_of(milliseconds))
    assert low <= milliseconds + 1e-6
    assert milliseconds < high + 1e-6
    assert high - low <= max(0.001, milliseconds / 2048) + 1e-6


@given(st.integers(min_value=0, max_value=60_000))
def test_buckets_are_without_gaps(bucket: int) -> None:
    """The next bucket begins where one ends."""
    assert edges(bucket)[1] == edges(bucket + 1)[0]
    assert bucket_of(edges(bucket)[0] + 1e-7) == bucket


def test_values_around_the_gate_are_told_apart() -> None:
    """295, 299, 300, 301 and 305 ms, all of which Locust prints as 300, have five buckets."""
    assert len({bucket_of(value) for value in (295, 299, 300, 301, 305)}) == 5


@settings(deadline=None)
@given(st.lists(LATENCIES, min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
def test_quantiles_agree_with_the_sorted_list(values: list[float], fraction: float) -> None:
    """The quantile is the value at rank ceil(q n), within the width of a bucket."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    truth = sorted(values)[math.ceil(round(fraction * len(values), 9)) - 1]
    assert histogram.quantile(fraction) == pytest.approx(truth, rel=1 / 2048, abs=0.001)


@settings(deadline=None)
@given(st.lists(LATENCIES), st.lists(LATENCIES))
def test_merging_loses_nothing(first: list[float], second: list[float]) -> None:
    """Two histograms added are the histogram of all values, in either order."""
    whole, left, right = Histogram(), Histogram(), Histogram()
    for values, histogram in ((first, left), (second, right)):
        for value in values:
            histogram.record(value)
            whole.record(value)
    assert list(Histogram([*left, *right])) == list(Histogram([*right, *left])) == list(whole)
    assert whole.total == len(first) + len(second)


def test_an_empty_histogram_knows_nothing() -> None:
    """No value, no quantile, no mean, no maximum, no rank."""
    empty = Histogram()
    assert (empty.quantile(0.5), empty.mean, empty.maximum) == (None, None, None)
    with pytest.raises(ValueError, match="no value has rank 1 of 0"):
        empty.bucket_at(1)


def test_mean_and_maximum() -> None:
    """Of 10, 20 and 60 ms the mean is 30 and the maximum 60."""
    histogram = Histogram((bucket_of(value), 1) for value in (10, 20, 60))
    assert histogram.mean == pytest.approx(30, rel=0.001)
    assert histogram.maximum == pytest.approx(60, rel=0.001)


def test_a_clock_that_was_set_back_is_no_crash() -> None:
    """A negative latency counts as nothing."""
    assert bucket_of(-5) == 0
