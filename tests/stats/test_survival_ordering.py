"""Concordance and time-dependent AUC against R's survival, scikit-survival and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.survival import auc_table, concordance, dynamic_auc

TIMES = [90, 180, 365, 730]


@pytest.fixture(scope="module")
def lung():
    """227 people and the linear predictor of R's Cox model (Efron) of age, sex and ph.ecog."""
    from lifelines.datasets import load_lung

    known = load_lung().dropna(subset=["ph.ecog"])
    by = {"age": 0.01106676456, "sex": -0.55261239570, "ph.ecog": 0.46372847537}
    return known.assign(risk=sum(b * known[name] for name, b in by.items()))


def of_lung(rows, **how):
    return concordance(rows["time"], rows["status"], 1 - rows["status"], risk=rows["risk"], **how)


def test_harrells_c_its_error_and_its_pairs_are_those_of_r(lung):
    found = of_lung(lung)
    assert found.c.estimate == pytest.approx(0.6371354930, abs=5e-11)
    assert found.c.se == pytest.approx(0.02506797385, abs=5e-12)
    pairs = (found.concordant, found.discordant, found.tied_risk, found.tied_time)
    assert pairs == (12544, 7117, 126, 28)


@pytest.mark.parametrize(
    ("weighting", "expected"),
    # Without truncation S(t-)/(G(t-) n) is Uno's 1/G(t-)^2 but for a factor.
    [("S", 0.6320306841), ("S/G", 0.6261482952), ("I", 0.6175458010), ("uno", 0.6261482952)],
)
def test_other_weights_are_those_of_r(lung, weighting, expected):
    assert of_lung(lung, weighting=weighting).c.estimate == pytest.approx(expected, abs=5e-11)


def test_rossi_is_that_of_r_and_lifelines():
    """R: C .6403292471 of the Cox model (Efron) with seven covariates."""
    from lifelines.datasets import load_rossi
    from lifelines.utils import concordance_index

    rossi = load_rossi()
    by = {"fin": -0.37942216649, "age": -0.05743774268, "race": 0.31389978784,
          "wexp": -0.14979569767, "mar": -0.43370387794, "paro": -0.08487108250,
          "prio": 0.09149708099}  # fmt: skip
    risk = sum(b * rossi[name] for name, b in by.items())
    found = concordance(rossi["week"], rossi["arrest"], 1 - rossi["arrest"], risk=risk).c
    assert found.estimate == pytest.approx(0.6403292471, abs=5e-11)
    theirs = concordance_index(rossi["week"], -risk, rossi["arrest"])
    assert found.estimate == pytest.approx(theirs, rel=1e-12)


def test_auc_is_that_of_scikit_survival_but_for_ties(lung):
    """scikit-survival 0.28.0, cumulative_dynamic_auc(y, y, risk, [90, 180, 365, 730]).

    Where an event and an end of watching share a day it takes the event's people out of
    those watched on; they were watched until the event. Before the first such day we agree.
    """
    asked = [90, 180, 365, 730]
    found = dynamic_auc(
        lung["time"], lung["status"], 1 - lung["status"], risk=lung["risk"], times=asked
    )
    theirs = [0.644565633372, 0.698079870879, 0.647525239281, 0.693482087004]
    assert found[0].estimate == pytest.approx(theirs[0], abs=1e-12)
    assert [x.estimate for x in found] == pytest.approx(theirs, abs=2e-4)
    table = auc_table(asked, found)
    assert table["time"].tolist() == asked
    assert (table["conf_low"] < table["estimate"]).all()


def test_uno_is_that_of_scikit_survival_but_for_ties(lung):
    """scikit-survival 0.28.0, concordance_index_ipcw with and without tau = 500."""
    whole, early = of_lung(lung, weighting="uno"), of_lung(lung, weighting="uno", until=500)
    assert whole.c.estimate == pytest.approx(0.6263782866, abs=3e-4)
    assert early.c.estimate == pytest.approx(0.6267510649, abs=3e-4)


quick = settings(deadline=None, max_examples=50)  # other work may share the machine
rows = st.lists(
    st.tuples(
        st.integers(1, 8), st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.1, 0.4, 0.5, 2])
    ),
    min_size=2, max_size=15,
)  # fmt: skip


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
def test_pairs_are_those_counted_one_by_one(given):
    """Counts equal replicated rows in any order (S35), and n log n steps equal n squared."""
    time, d, c, risk = parts(given)
    t, event, r = replicated(time, d, c, risk)
    told = [
        (r[i] - r[j]) for i in np.flatnonzero(event) for j in range(len(t))
        if t[i] < t[j] or (t[i] == t[j] and not event[j])
    ]  # fmt: skip
    if not told:
        if (d + c).sum():
            with pytest.raises(DataError, match="no pair can be told"):
                concordance(time, d, c, risk=risk)
        return
    found = concordance(time, d, c, risk=risk)
    sign = np.sign(told)
    counted = (found.concordant, found.discordant, found.tied_risk)
    assert counted == ((sign > 0).sum(), (sign < 0).sum(), (sign == 0).sum())
    assert found.c.estimate == pytest.approx((sign > 0).mean() + (sign == 0).mean() / 2)
    same = sum(
        r[i] != r[j] for i in np.flatnonzero(event) for j in np.flatnonzero(event)
        if i < j and t[i] == t[j]
    )  # fmt: skip
    assert found.tied_time == same
    single = concordance(t, event, ~event, risk=r, weighting="uno").c
    uno = concordance(time, d, c, risk=risk, weighting="uno").c
    assert uno.estimate == pytest.approx(single.estimate, rel=1e-9)
    assert uno.se == pytest.approx(single.se, rel=1e-6, abs=1e-9)


@quick
@given(rows)
def test_the_scale_of_the_score_says_nothing_and_its_turn_turns_the_answer(given):
    time, d, c, risk = parts(given)
    try:
        found = concordance(time, d, c, risk=risk).c
    except DataError:
        return
    assert 0 <= found.estimate <= 1
    scaled = concordance(time, d, c, risk=np.exp(3 * risk)).c
    assert scaled.estimate == pytest.approx(found.estimate, rel=1e-12)
    turned = concordance(time, d, c, risk=-risk).c
    assert turned.estimate == pytest.approx(1 - found.estimate, abs=1e-12)
    assert turned.se == pytest.approx(found.se, abs=1e-12)


@quick
@given(rows)
def test_without_censoring_uno_is_harrell_and_auc_is_mann_and_whitneys(given):
    time, d, c, risk = parts(given)
    d = d + c
    some = d > 0
    if len(set(time[some])) < 2:
        return
    plain, uno = (concordance(time, d, risk=risk, weighting=w).c for w in ("harrell", "uno"))
    assert uno.estimate == pytest.approx(plain.estimate, abs=1e-12)
    assert uno.se == pytest.approx(plain.se, abs=1e-12)
    at = time[some].max() - 0.5
    t, _, r = replicated(time, d, 0 * d, risk)
    gaps = np.sign(np.subtract.outer(r[t <= at], r[t > at]))
    found = dynamic_auc(time, d, risk=risk, times=[at])[0]
    assert found.estimate == pytest.approx((gaps + 1).mean() / 2, abs=1e-12)


@quick
@given(rows)
def test_auc_is_the_weighted_share_of_pairs(given):
    time, d, c, risk = parts(given)
    t, event, r = replicated(time, d, c, risk)
    if not len(t) or t.max() <= 1:
        return
    at = t.max() - 0.5
    watched = {
        x: np.prod([1 - ((t == u) & ~event).sum() / ((t > u) | ((t == u) & ~event)).sum()
                    for u in set(t[~event]) if u < x]) for x in set(t)
    }  # fmt: skip
    case = event & (t <= at)
    found = dynamic_auc(time, d, c, risk=risk, times=[at])[0].estimate
    if not case.any():
        assert np.isnan(found)
        return
    weight = np.array([1 / watched[x] for x in t[case]])
    gaps = np.sign(np.subtract.outer(r[case], r[t > at]))
    assert found == pytest.approx(weight @ (gaps + 1).mean(axis=1) / 2 / weight.sum(), rel=1e-9)


def test_many_people_with_a_score_each_are_ordered_at_once():
    rng = np.random.default_rng(2)
    n = 50_000
    risk = rng.normal(size=n)
    time = rng.exponential(np.exp(-risk))
    event = rng.random(n) < 0.6
    one = concordance(time, event, ~event, risk=risk).c
    assert 0.70 < one.estimate < 0.75
    assert one.low < one.estimate < one.high


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"risk": [1, np.nan]}, "row 1 has none"),
        ({"risk": [1]}, "one number per row"),
        ({"risk": [1, 2], "weighting": "best"}, "weighting must be"),
        ({"risk": [1, 2], "until": 1}, "no pair can be told"),
    ],
)
def test_what_cannot_be_ordered_is_refused(how, match):
    with pytest.raises(DataError, match=match):
        concordance([1, 2], [1, 0], [0, 1], **how)


@pytest.mark.parametrize(
    ("times", "match"), [([2], "below 2"), ([1, 1], "must ascend"), ([0], "above 0")]
)
def test_times_that_nobody_passed_are_refused(times, match):
    with pytest.raises(DataError, match=match):
        dynamic_auc([1, 2], [1, 0], [0, 1], risk=[1, 2], times=times)
    with pytest.raises(DataError, match="one for each of 1 times"):
        dynamic_auc([1, 2], [1, 0], [0, 1], risk=[[1, 2], [1, 2]], times=[1])
