import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from statsmodels.stats.proportion import proportion_confint

from sop_server.domain.estimators import kaplan_meier, quantile, wilson

STOPPED = [0.0, 6.0, 14.0, 20.0, 26.0, 31.0, 44.0, 70.0]
OPEN = [10.0, 30.0, 400.0, 900.0]

durations = st.lists(st.integers(0, 60).map(float), max_size=25)


def test_the_worked_example_of_the_window() -> None:
    curve = kaplan_meier(STOPPED, OPEN)
    assert quantile(curve, 0.5) == 31.0
    assert quantile(curve, 0.9) is None


def test_a_curve_of_nothing_is_empty_and_reaches_nothing() -> None:
    assert kaplan_meier([], []) == ()
    assert quantile((), 0.5) is None
    assert quantile(kaplan_meier([], OPEN), 0.5) is None


def test_without_open_ones_the_median_is_the_one_in_the_middle() -> None:
    assert quantile(kaplan_meier([1.0, 2.0, 3.0, 4.0, 5.0], []), 0.5) == 3.0
    assert quantile(kaplan_meier([5.0] * 7, []), 0.9) == 5.0


def test_what_is_open_at_the_very_duration_of_a_stop_is_still_at_risk_there() -> None:
    assert kaplan_meier([10.0], [10.0])[0].open == 0.5


@given(durations, durations)
def test_the_curve_is_that_of_lifelines(stopped: list[float], still_open: list[float]) -> None:
    curve = kaplan_meier(stopped, still_open)
    if not stopped:
        assert curve == ()
        return
    fitter = KaplanMeierFitter()
    fitter.fit([*stopped, *still_open], [1] * len(stopped) + [0] * len(still_open))
    for step in curve:
        assert step.open == pytest.approx(float(fitter.predict(step.duration)))
    assert [step.duration for step in curve] == sorted(set(stopped))


@given(durations, durations)
def test_the_median_is_that_of_lifelines(stopped: list[float], still_open: list[float]) -> None:
    fitter = KaplanMeierFitter()
    fitter.fit([*stopped, *still_open, 61.0], [1] * len(stopped) + [0] * (len(still_open) + 1))
    theirs = float(fitter.median_survival_time_)
    ours = quantile(kaplan_meier(stopped, [*still_open, 61.0]), 0.5)
    # A share of exactly one half, as a product of fractions, may miss it by a rounding in theirs.
    at_half = any(math.isclose(step.open, 0.5) for step in kaplan_meier(stopped, [*still_open, 61.0]))
    assert at_half or (math.inf if ours is None else ours) == theirs


def test_seven_of_ten_lie_between_40_and_89_per_cent() -> None:
    interval = wilson(7, 10)
    assert interval is not None
    assert (round(100 * interval.low, 1), round(100 * interval.high, 1)) == (39.7, 89.2)


def test_nothing_says_nothing() -> None:
    assert wilson(0, 0) is None


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_that_of_statsmodels(counts: tuple[int, int]) -> None:
    interval = wilson(*counts)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(proportion_confint(*counts, method="wilson"), abs=1e-9)
