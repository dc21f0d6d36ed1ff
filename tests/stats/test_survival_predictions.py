"""Brier scores and calibration of predicted chances, against R's pec and by what must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.survival import brier_scores, calibration, product_limit

TIMES = [90, 180, 365, 730]


@pytest.fixture(scope="module")
def lung():
    """Durations, events and a function of the chances by R's Cox model (Efron), 227 people."""
    from lifelines.datasets import load_lung

    known = load_lung().dropna(subset=["ph.ecog"])
    by = {"age": 0.01106676456, "sex": -0.55261239570, "ph.ecog": 0.46372847537}
    hazard = np.exp(sum(b * known[name] for name, b in by.items()).to_numpy())
    time, event = known["time"].to_numpy(), known["status"].to_numpy()
    moments = np.unique(time[event == 1])
    steps = []
    for at in moments:  # Efron's baseline
        dying = (time == at) & (event == 1)
        gone = np.arange(dying.sum()) / dying.sum() * hazard[dying].sum()
        steps.append((1 / (hazard[time >= at].sum() - gone)).sum())
    baseline = np.r_[0, np.cumsum(steps)]

    def chances(times):
        upto = baseline[np.searchsorted(moments, times, side="right")]
        return 1 - np.exp(-np.outer(hazard, upto))

    return time, event, chances


def test_the_chances_that_are_judged_are_those_of_r(lung):
    """S(t) at age 60, sex 1, ph.ecog 1, as printed to 7 digits."""
    from lifelines.datasets import load_lung

    known = load_lung().dropna(subset=["ph.ecog"])
    who = ((known["age"] == 60) & (known["sex"] == 1) & (known["ph.ecog"] == 1)).to_numpy()
    found = 1 - lung[2]([100, 180, 365, 730])[who][0]
    assert found == pytest.approx([0.8509388, 0.6859430, 0.3358634, 0.0673577], abs=1e-7)


def test_brier_scores_are_those_of_pec(lung):
    """R's pec 2022.5.4: Cox model and product-limit reference, to 5 digits."""
    time, event, chances = lung
    found = brier_scores(time, event, 1 - event, risk=chances(TIMES), times=TIMES).table()
    assert found["score"].tolist() == pytest.approx([0.09775, 0.17869, 0.22560, 0.09959], abs=6e-6)
    assert found["null"].tolist() == pytest.approx([0.10142, 0.19944, 0.24209, 0.10270], abs=6e-6)
    # scikit-survival 0.28.0, brier_score; later times differ by its way with ties.
    assert found["score"][0] == pytest.approx(0.097747677943, abs=1e-12)


@pytest.mark.parametrize(("end", "score", "null"), [(365, 0.154, 0.170), (730, 0.165, 0.177)])
def test_integrated_scores_are_those_of_pec(lung, end, score, null):
    time, event, chances = lung
    for times in (np.unique(np.r_[time[time <= end], end]), np.arange(1, end + 1)):
        found = brier_scores(
            time, event, 1 - event, risk=chances(times), times=times, between="steps"
        )
        assert found.integrated.estimate == pytest.approx(score, abs=5e-4)
        assert found.integrated_null.estimate == pytest.approx(null, abs=5e-4)
    lines = brier_scores(time, event, 1 - event, risk=chances(times), times=times)
    # From day to day, lines and steps part by half a day's rise.
    assert lines.integrated.estimate == pytest.approx(found.integrated.estimate, abs=5e-4)
    assert 0 < lines.skill < 0.1
    assert lines.beats_null


def test_a_model_that_knows_nothing_does_not_beat_the_null(lung):
    time, event, _ = lung
    rng = np.random.default_rng(1)
    noise = rng.uniform(0, 1, (len(time), 1)) * np.ones(2)
    found = brier_scores(time, event, 1 - event, risk=noise, times=[180, 365])
    assert found.skill < 0
    assert not found.beats_null
    same = product_limit(time, event, 1 - event).incidence([180, 365])["estimate"].to_numpy()
    found = brier_scores(
        time, event, 1 - event, risk=np.tile(same, (len(time), 1)), times=[180, 365]
    )
    assert found.integrated_difference.estimate == 0
    assert not found.beats_null


def test_the_null_may_be_what_was_known_before(lung):
    time, event, chances = lung
    early = product_limit([100, 200, 500], [60, 30, 5], [0, 0, 5])
    found = brier_scores(
        time, event, 1 - event, risk=chances([180]), times=[180], null=early
    ).table()  # fmt: skip
    usual = brier_scores(
        time, event, 1 - event, risk=np.full((len(time), 1), 0.6), times=[180]
    ).table()  # fmt: skip
    assert found["null"][0] == pytest.approx(usual["score"][0], abs=1e-12)
    with pytest.raises(DataError, match="known until 500, but 600"):
        brier_scores(time, event, 1 - event, risk=chances([600]), times=[600], null=early)


quick = settings(deadline=None, max_examples=50)  # other work may share the machine
rows = st.lists(
    st.tuples(
        st.integers(1, 8), st.integers(0, 3), st.integers(0, 3),
        st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0]),
    ),
    min_size=2, max_size=15,
).filter(lambda x: max((t for t, d, c, _ in x if d + c), default=0) > 1)  # fmt: skip


def parts(given):
    time, d, c, risk = zip(*given, strict=True)
    return np.array(time), np.array(d), np.array(c), np.array(risk)


def replicated(time, d, c, risk):
    each = np.repeat(np.arange(len(time)), d + c)
    event = np.concatenate(
        [[True] * x + [False] * y for x, y in zip(d, c, strict=True)]
    ).astype(bool)  # fmt: skip
    return time[each][::-1], event[::-1], risk[each][::-1]


@quick
@given(rows)
def test_counts_equal_replicated_rows_in_any_order(given):
    """Identity S35."""
    time, d, c, risk = parts(given)
    t, event, r = replicated(time, d, c, risk)
    times = np.array([0.5, 1]) * (t.max() - 0.5)
    spread = np.column_stack([risk / 2, risk])
    one = brier_scores(time, d, c, risk=spread, times=times)
    other = brier_scores(t, event, ~event, risk=np.column_stack([r / 2, r]), times=times)
    np.testing.assert_allclose(one.table(), other.table(), rtol=1e-9, atol=1e-12)
    gap, same = one.integrated_difference, other.integrated_difference
    assert (gap.estimate, gap.se) == pytest.approx(
        (same.estimate, same.se), rel=1e-9, abs=1e-12, nan_ok=True
    )
    assert one.integrated.estimate >= 0
    how = {"horizon": times[1], "groups": 3, "span": 0.8}
    fit = calibration(time, d, c, risk=risk, **how)
    single = calibration(t, event, ~event, risk=r, **how)
    np.testing.assert_allclose(fit.table(), single.table(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fit.curve, single.curve, rtol=1e-9, atol=1e-12)
    assert fit.ici == pytest.approx(single.ici, rel=1e-9, abs=1e-12, nan_ok=True)


@quick
@given(rows)
def test_without_censoring_scores_are_plain_mean_squares_and_groups_plain_shares(given):
    time, d, c, risk = parts(given)
    d = d + c
    t, _, r = replicated(time, d, 0 * d, risk)
    at = t.max() - 0.5
    had = t <= at
    found = brier_scores(time, d, risk=risk, times=[at])
    assert found.score[0].estimate == pytest.approx(((had - r) ** 2).mean(), abs=1e-12)
    assert found.null[0].estimate == pytest.approx(had.mean() * (1 - had.mean()), abs=1e-12)
    fit = calibration(time, d, risk=risk, horizon=at, groups=1)
    assert fit.observed[0].estimate == pytest.approx(had.mean(), abs=1e-12)
    assert fit.expected[0] == pytest.approx(r.mean(), abs=1e-12)


def people(rng, n):
    """Chances of an exponential event by 1, and what was seen of it."""
    risk = rng.beta(2, 5, n)
    time, end = rng.exponential(-1 / np.log1p(-risk)), rng.uniform(0.3, 3, n)
    return np.minimum(time, end), time <= end, risk


def test_right_chances_are_found_right_and_wrong_ones_by_how_much():
    time, event, risk = people(np.random.default_rng(4), 20_000)
    right = calibration(time, event, ~event, risk=risk, horizon=1)
    assert len(right.observed) == 10
    assert [x.n for x in right.observed] == [2_000] * 10
    both = zip(right.observed, right.expected, strict=True)
    assert sum(x.low <= expected <= x.high for x, expected in both) >= 8
    assert right.ratio.low < 1 < right.ratio.high
    assert right.ici < 0.01
    assert right.ici <= right.e90 <= right.e_max
    wrong = calibration(time, event, ~event, risk=risk / 2, horizon=1)
    assert wrong.ratio.estimate == pytest.approx(2, abs=0.05)
    assert wrong.ici == pytest.approx(risk.mean() / 2, abs=0.01)
    assert wrong.curve["n"].sum() == pytest.approx(20_000)


def test_a_few_distinct_chances_are_not_mixed():
    time, event, risk = people(np.random.default_rng(4), 4_000)
    level = np.ceil(risk * 4) / 4
    found = calibration(time, event, ~event, risk=level, horizon=1, groups=100, span=0.001)
    assert found.curve["expected"].tolist() == found.expected.tolist()
    assert found.curve["observed"].tolist() == pytest.approx(
        [x.estimate for x in found.observed], abs=1e-12
    )


def test_a_group_that_was_not_watched_for_so_long_has_no_share():
    found = calibration(
        [1, 2, 1, 9], [1, 0, 1, 0], [0, 5, 0, 5], risk=[0.2, 0.2, 0.6, 0.6], horizon=5, groups=2
    )
    assert np.isnan(found.observed[0].estimate)
    assert found.observed[1].estimate == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"risk": [[0.1], [1.2]]}, "row 1 has"),
        ({"risk": [[0.1], [np.nan]]}, "row 1 has"),
        ({"risk": [[0.1, 0.2], [0.1, 0.2]]}, "a column for each of 1 times"),
        ({"risk": [0.1]}, "a row for each row"),
        ({"risk": [0.1, 0.2], "between": "dots"}, "lines or steps"),
        ({"risk": [0.1, 0.2], "times": [2]}, "below 2"),
    ],
)
def test_what_cannot_be_judged_is_refused(how, match):
    with pytest.raises(DataError, match=match):
        brier_scores([1, 2], [1, 0], [0, 1], **{"times": [1], **how})


@pytest.mark.parametrize(
    ("how", "match"),
    [({"groups": 0}, "1 or more"), ({"span": 0}, "above 0 to 1"), ({"horizon": 3}, "below 2")],
)
def test_what_cannot_be_calibrated_is_refused(how, match):
    with pytest.raises(DataError, match=match):
        calibration([1, 2], [1, 0], [0, 1], risk=[0.1, 0.2], **{"horizon": 1, **how})
