import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.drift_formula import (
    WEIGHTS,
    Band,
    ComponentName,
    DriftInputs,
    band,
    caps,
    components,
    score,
    would_raise_most,
)

MATURE = DriftInputs(
    compliance=0.95,
    freshness=0.99,
    coverage=0.975,
    reviews=0.95,
    knowledge=0.92,
    feedback=1.0,
    undocumented_share=0.025,
    long_open_share=0.0,
    lost_share=0.025,
)
PERFECT = DriftInputs(
    compliance=1.0,
    freshness=1.0,
    coverage=1.0,
    reviews=1.0,
    knowledge=1.0,
    feedback=1.0,
    undocumented_share=0.0,
    long_open_share=0.0,
    lost_share=0.0,
)

CASES = {
    "mature": (MATURE, 9.8),
    "one SOP 34 days stale": (
        replace(MATURE, compliance=0.90, freshness=0.975, long_open=1, long_open_share=0.025, lost_share=0.05),
        7.0,
    ),
    "slipping": (
        DriftInputs(
            compliance=0.70,
            freshness=0.75,
            coverage=0.85,
            reviews=0.60,
            knowledge=0.65,
            feedback=0.40,
            long_open=4,
            critical_undocumented=1,
            undocumented_share=0.15,
            long_open_share=0.20,
            lost_share=0.35,
        ),
        6.1,
    ),
    "half stale": (
        DriftInputs(
            compliance=0.80,
            freshness=0.45,
            coverage=0.95,
            reviews=0.90,
            knowledge=0.90,
            feedback=0.90,
            long_open=40,
            undocumented_share=0.05,
            long_open_share=0.47,
            lost_share=0.52,
        ),
        3.0,
    ),
    "collapse": (
        DriftInputs(
            compliance=0.30,
            freshness=0.35,
            coverage=0.55,
            reviews=0.20,
            knowledge=0.30,
            feedback=0.0,
            long_open=60,
            critical_undocumented=3,
            undocumented_share=0.45,
            long_open_share=0.40,
            lost_share=0.62,
        ),
        2.2,
    ),
    "new, no tickets": (
        replace(PERFECT, compliance=None, knowledge=0.90, feedback=None),
        8.0,
    ),
    "no SOPs": (
        DriftInputs(coverage=0.0, critical_undocumented=1, undocumented_share=1.0, long_open_share=0.0, lost_share=1.0),
        0.0,
    ),
    "perfect": (PERFECT, 10.0),
}

shares = st.one_of(st.none(), st.floats(0, 1))


@st.composite
def some_inputs(draw: st.DrawFn) -> DriftInputs:
    judged = draw(st.booleans())
    undocumented = draw(st.floats(0, 1))
    long_open = draw(st.floats(0, 1))
    return DriftInputs(
        compliance=draw(shares),
        freshness=draw(shares),
        coverage=draw(shares),
        reviews=draw(shares),
        knowledge=draw(shares),
        feedback=draw(shares),
        long_open=draw(st.integers(0, 3)),
        critical_undocumented=draw(st.integers(0, 3)),
        undocumented_share=undocumented if judged else None,
        long_open_share=long_open if judged else None,
        lost_share=min(1.0, undocumented + long_open) if judged else None,
    )


@pytest.mark.parametrize("case", CASES)
def test_the_worked_cases(case: str) -> None:
    inputs, expected = CASES[case]
    assert score(inputs) == expected


def test_without_any_data_there_is_no_score() -> None:
    assert score(DriftInputs()) is None
    assert "nothing to score" in would_raise_most(DriftInputs())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (10.0, Band.HEALTHY),
        (8.0, Band.HEALTHY),
        (7.9, Band.AT_RISK),
        (4.0, Band.AT_RISK),
        (3.9, Band.FAILURE),
        (0.0, Band.FAILURE),
    ],
)
def test_the_band_is_that_of_the_floor(found: float, expected: Band) -> None:
    assert band(found) is expected


def test_the_weights_are_one_together() -> None:
    assert math.fsum(WEIGHTS.values()) == 1


@pytest.mark.parametrize(
    ("better", "limit"),
    [
        (replace(PERFECT, undocumented_share=1.0, lost_share=1.0), 0.0),
        (replace(PERFECT, lost_share=0.5), 3.0),
        (replace(PERFECT, compliance=0.8999), 7.0),
        (replace(PERFECT, long_open=1), 7.0),
        (replace(PERFECT, knowledge=0.6999), 7.0),
        (replace(PERFECT, critical_undocumented=1), 7.0),
        (replace(PERFECT, compliance=None), 8.0),
    ],
)
def test_each_cap_holds_the_score_down_and_says_why(better: DriftInputs, limit: float) -> None:
    assert score(better) == limit
    assert caps(better)[0].limit == limit
    assert caps(better)[0].reason.endswith(".")


@pytest.mark.parametrize(
    "just_good_enough",
    [replace(PERFECT, lost_share=0.49), replace(PERFECT, compliance=0.90), replace(PERFECT, knowledge=0.70)],
)
def test_at_its_limit_no_cap_applies(just_good_enough: DriftInputs) -> None:
    assert caps(just_good_enough) == ()


def test_a_cap_is_listed_also_where_a_lower_one_or_the_sum_decides() -> None:
    assert [cap.limit for cap in caps(CASES["collapse"][0])] == [3.0, 7.0, 7.0, 7.0, 7.0]


def test_the_window_is_worthless_at_half_and_whole_at_the_target() -> None:
    def q(compliance: float) -> float | None:
        return components(replace(PERFECT, compliance=compliance))[0].q

    assert [q(0.3), q(0.5), q(0.95), q(1.0)] == [0, 0, pytest.approx(1), 1]


def test_the_weights_of_what_has_no_data_are_spread_over_the_rest() -> None:
    inputs = DriftInputs(freshness=0.5, coverage=1.0)
    found = {component.name: component for component in components(inputs)}
    assert found[ComponentName.FRESHNESS].lost == pytest.approx(10 * 0.25 * 0.5 / 0.40)
    assert (found[ComponentName.WINDOW].q, found[ComponentName.WINDOW].lost) == (None, 0)


def test_the_score_is_truncated_never_rounded() -> None:
    assert score(replace(PERFECT, feedback=0.0, reviews=0.51)) == 9.0
    assert score(replace(PERFECT, feedback=0.99)) == 9.9


@given(some_inputs())
def test_what_is_lost_is_what_is_missing_to_ten_before_the_caps(inputs: DriftInputs) -> None:
    found = components(inputs)
    known = [component for component in found if component.q is not None]
    if not known:
        assert score(inputs) is None
        return
    total = math.fsum(component.weight for component in known)
    raw = 10 * math.fsum(component.weight * (component.q or 0) for component in known) / total
    assert math.fsum(component.lost for component in found) == pytest.approx(10 - raw)


@given(some_inputs())
def test_the_score_lies_between_0_and_10_in_tenths_and_under_every_cap(inputs: DriftInputs) -> None:
    found = score(inputs)
    if found is not None:
        assert 0 <= found <= 10
        assert math.isclose(10 * found, round(10 * found))
        assert all(found <= cap.limit for cap in caps(inputs))


@given(some_inputs(), st.sampled_from([field.name for field in fields(DriftInputs)]), st.data())
def test_raising_any_input_never_lowers_the_score(inputs: DriftInputs, name: str, data: st.DataObject) -> None:
    value = getattr(inputs, name)
    if value is None:
        return
    better: Any
    if name in {"long_open", "critical_undocumented"}:
        better = data.draw(st.integers(0, value))
    elif name.endswith("_share"):
        better = data.draw(st.floats(0, value))
    else:
        better = data.draw(st.floats(value, 1))
    before, then = score(inputs), score(replace(inputs, **{name: better}))
    assert before is None or (then is not None and then >= before)


@given(some_inputs())
def test_there_is_always_a_sentence_on_what_would_raise_it(inputs: DriftInputs) -> None:
    assert would_raise_most(inputs).endswith(".")


def test_what_would_raise_it_most_looks_through_the_caps() -> None:
    assert "Nothing" in would_raise_most(PERFECT)
    assert "oldest first" in would_raise_most(CASES["one SOP 34 days stale"][0])
    assert "undocumented processes" in would_raise_most(replace(PERFECT, coverage=0.9, critical_undocumented=1))
    assert "up to 1 point" in would_raise_most(replace(PERFECT, reviews=0.0))
    assert "Triage feedback" in would_raise_most(replace(PERFECT, feedback=0.2))
    assert "acknowledgements" in would_raise_most(replace(PERFECT, knowledge=0.2))
    assert "within its window" in would_raise_most(replace(PERFECT, compliance=0.8))
    assert "next change" in would_raise_most(CASES["new, no tickets"][0])


def test_where_several_things_hold_it_down_together_all_are_named() -> None:
    sentence = would_raise_most(replace(PERFECT, knowledge=0.2, long_open=2))
    assert "7.0 together" in sentence
    assert "2 obligations are open" in sentence
    assert "Knowledge is at 20 %" in sentence
