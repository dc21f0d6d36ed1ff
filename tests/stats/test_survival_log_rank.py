"""Log-rank tests against R's survival 3.5-3, lifelines, and what must hold on any data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival import log_rank, pairwise_log_rank, product_limit

# aml of R's survival: time, event (1) or censored (0), maintained (0) or not (1).
AML = [(9, 1, 0), (13, 1, 0), (13, 0, 0), (18, 1, 0), (23, 1, 0), (28, 0, 0), (31, 1, 0),
       (34, 1, 0), (45, 0, 0), (48, 1, 0), (161, 0, 0), (5, 1, 1), (5, 1, 1), (8, 1, 1),
       (8, 1, 1), (12, 1, 1), (16, 0, 1), (23, 1, 1), (27, 1, 1), (30, 1, 1), (33, 1, 1),
       (43, 1, 1), (45, 1, 1)]  # fmt: skip
THEIRS = {"gehan-breslow": "wilcoxon", "tarone-ware": "tarone-ware", "peto-prentice": "peto"}


@pytest.fixture(scope="module")
def lung():
    from lifelines.datasets import load_lung

    return load_lung()


def of(frame, by, **how):
    return log_rank(frame["time"], frame["status"], 1 - frame["status"], group=frame[by], **how)


def test_aml_is_that_of_r():
    time, event, group = np.array(AML).T
    found = log_rank(time, event, 1 - event, group=group)
    assert found.observed.tolist() == [7, 11]
    assert found.expected == pytest.approx([10.68933599, 7.310664008], rel=1e-9)
    assert found.variance[0, 0] == pytest.approx(4.007550746, rel=1e-9)
    assert found.statistic == pytest.approx(3.396388699, rel=1e-9)  # R, survdiff
    assert found.p_value == pytest.approx(0.06534, abs=5e-6)
    assert found.table()["n"].tolist() == [11, 12]


@pytest.mark.parametrize("how", [{"weighting": "peto-peto"}, {"weighting": "fleming-harrington"}])
def test_peto_peto_is_rho_one_of_r(how):
    time, event, group = np.array(AML).T
    found = log_rank(time, event, 1 - event, group=group, **how)
    assert found.statistic == pytest.approx(2.779279545, rel=1e-9)  # R, survdiff(rho = 1)


def test_lung_by_sex_is_that_of_r(lung):
    found = of(lung, "sex")
    assert found.observed.tolist() == [112, 53]
    assert found.expected == pytest.approx([91.58173903, 73.41826097], rel=1e-9)
    assert found.statistic == pytest.approx(10.32674195, rel=1e-9)
    assert found.p_value == pytest.approx(0.00131116452, rel=1e-8)
    assert of(lung, "sex", weighting="peto-peto").statistic == pytest.approx(12.7141514)


def test_lung_by_four_groups_is_that_of_r(lung):
    found = of(lung.dropna(subset=["ph.ecog"]), "ph.ecog")
    assert (found.df, found.n.sum()) == (3, 227)
    assert found.statistic == pytest.approx(21.96213168, rel=1e-9)


@pytest.mark.parametrize(("strata", "expected"), [("inst", 8.524467363), ("ph.ecog", 10.79505963)])
def test_strata_are_compared_within_as_in_r(lung, strata, expected):
    known = lung.dropna(subset=[strata])
    found = of(known, "sex", strata=known[strata])
    assert found.n.sum() == 227
    assert found.statistic == pytest.approx(expected, rel=1e-9)
    assert found.method == "log-rank test, stratified"


def test_rossi_by_aid_is_that_of_r():
    from lifelines.datasets import load_rossi

    rossi = load_rossi()
    found = log_rank(rossi["week"], rossi["arrest"], 1 - rossi["arrest"], group=rossi["fin"])
    assert found.statistic == pytest.approx(3.837569577, rel=1e-9)


@pytest.mark.parametrize("weighting", THEIRS)
def test_weightings_are_those_of_lifelines(lung, weighting):
    from lifelines.statistics import multivariate_logrank_test

    theirs = multivariate_logrank_test(
        lung["time"], lung["sex"], lung["status"], weightings=THEIRS[weighting]
    )
    ours = of(lung, "sex", weighting=weighting)
    assert ours.statistic == pytest.approx(theirs.test_statistic, rel=1e-9)


@pytest.mark.parametrize(("p", "q"), [(0, 1), (1, 1), (0.5, 0.5)])
def test_fleming_and_harringtons_weights_are_those_of_lifelines(lung, p, q):
    from lifelines.statistics import multivariate_logrank_test

    theirs = multivariate_logrank_test(
        lung["time"], lung["sex"], lung["status"], weightings="fleming-harrington", p=p, q=q
    )
    ours = of(lung, "sex", weighting="fleming-harrington", p=p, q=q)
    assert ours.statistic == pytest.approx(theirs.test_statistic, rel=1e-9)


def test_pairs_are_tested_by_themselves_and_adjusted_by_holm(lung):
    known = lung[lung["ph.ecog"] < 3]
    found = pairwise_log_rank(
        known["time"], known["status"], 1 - known["status"], group=known["ph.ecog"]
    )
    assert found[["group", "against"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2]]
    two = known[known["ph.ecog"] != 1]
    assert found["p_value"][1] == pytest.approx(of(two, "ph.ecog").p_value, rel=1e-12)
    assert found["p_holm"].tolist() == holm(found["p_value"].tolist()).tolist()


def test_pairs_without_events_say_so_and_do_not_disturb_the_others():
    found = pairwise_log_rank([1, 2, 3, 9], [0, 0, 3, 1], [2, 2, 1, 4], group=["a", "b", "c", "c"])
    assert found["p_value"].isna().tolist() == [True, True, True]  # never at risk with another
    found = pairwise_log_rank([7, 8, 3, 9], [0, 0, 3, 1], [2, 2, 1, 4], group=["a", "b", "c", "c"])
    assert found["p_holm"].isna().tolist() == [True, False, False]


quick = settings(deadline=None, max_examples=50)  # other work may share the machine
rows = st.lists(
    st.tuples(
        st.integers(1, 12), st.integers(0, 4), st.integers(0, 4), st.sampled_from("abc"),
        st.integers(0, 1),
    ),
    min_size=4, max_size=30,
).filter(lambda x: len({g for _, d, c, g, _ in x if d + c}) > 1)  # fmt: skip
weightings = st.sampled_from(
    ["log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "peto-prentice", "fleming-harrington"]
)


def parts(given):
    time, d, c, group, layer = zip(*given, strict=True)
    return np.array(time), np.array(d), np.array(c), np.array(group), np.array(layer)


@quick
@given(rows, weightings)
def test_counts_equal_replicated_rows_in_any_order(given, weighting):
    """Identity S35."""
    time, d, c, group, layer = parts(given)
    one = log_rank(time, d, c, group=group, strata=layer, weighting=weighting, q=0.5)
    each = np.repeat(np.arange(len(time)), d + c)[::-1]
    event = np.concatenate([[1] * x + [0] * y for x, y in zip(d, c, strict=True)])[::-1]
    other = log_rank(
        time[each], event, 1 - event, group=group[each], strata=layer[each],
        weighting=weighting, q=0.5,
    )  # fmt: skip
    assert other.observed == pytest.approx(one.observed, rel=1e-9)
    assert other.variance == pytest.approx(one.variance, rel=1e-9, abs=1e-12)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9, nan_ok=True)


@quick
@given(rows, weightings)
def test_observed_less_expected_adds_up_to_nothing(given, weighting):
    time, d, c, group, _ = parts(given)
    found = log_rank(time, d, c, group=group, weighting=weighting, q=0.5)
    scale = 1 + found.observed.sum()
    assert (found.observed - found.expected).sum() == pytest.approx(0, abs=1e-9 * scale)
    assert found.variance.sum(axis=1) == pytest.approx(0, abs=1e-9 * scale**2)
    assert np.isnan(found.p_value) or 0 <= found.p_value <= 1


@quick
@given(rows)
def test_other_names_of_groups_and_histories_cut_in_two_say_the_same(given):
    """Identity S35."""
    time, d, c, group, _ = parts(given)
    one = log_rank(time, d, c, group=group)
    renamed = log_rank(time, d, c, group=np.array([{"a": 3, "b": 2, "c": 1}[x] for x in group]))
    assert renamed.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9, nan_ok=True)
    later, cut = time > 5, 5
    split = log_rank(
        np.r_[np.minimum(time, cut), time[later]], np.r_[np.where(later, 0, d), d[later]],
        np.r_[np.where(later, d + c, c), c[later]], group=np.r_[group, group[later]],
        entry=np.r_[np.zeros(len(time)), np.full(int(later.sum()), cut)],
    )  # fmt: skip
    assert split.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9, nan_ok=True)
    assert split.expected == pytest.approx(one.expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"group": ["a", "a"]}, "at least two groups"),
        ({"group": ["a", None]}, "row 1 has none"),
        ({"group": ["a"]}, "one entry per row, but has 1 for 2 rows"),
        ({"group": ["a", "b"], "weighting": "modest"}, "weighting must be"),
        ({"group": ["a", "b"], "weighting": "fleming-harrington", "p": -1}, "0 or more"),
    ],
)
def test_what_cannot_be_compared_is_refused(how, match):
    with pytest.raises(DataError, match=match):
        log_rank([1, 2], [1, 1], **how)


def test_groups_that_are_never_watched_together_are_not_told_apart():
    found = log_rank([1, 1, 5, 6], [0, 0, 2, 2], [3, 3, 0, 0], group=["a", "b", "c", "c"])
    assert found.df == 0
    assert np.isnan(found.p_value)
    assert product_limit([5, 6], [2, 2]).n == 4


def test_inputs_are_left_as_they_were():
    frame = pd.DataFrame({"time": [3, 1, 2], "status": [1, 1, 0], "g": ["b", "a", "b"]})
    before = frame.copy()
    of(frame, "g")
    pd.testing.assert_frame_equal(frame, before)
