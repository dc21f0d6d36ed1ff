"""Each group against all the others."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlab.errors import DataError
from cxlab.stats.comparison import compare_groups
from cxlab.stats.multiplicity import benjamini_hochberg, holm

SHARES = pd.DataFrame(
    {"group": ["a", "b", "c", "d"], "n": [86, 93, 136, 82], "total": [83, 90, 129, 70]}
)  # smokers in four groups of patients, as printed for R's prop.test


def test_two_groups_give_newcombes_interval_and_the_published_p_value():
    found = compare_groups(
        pd.DataFrame({"group": ["a", "b"], "n": [70, 80], "total": [56, 48]}), kind="share"
    )
    assert found["estimate"].tolist() == pytest.approx([0.2, -0.2])
    assert found.loc[0, ["conf_low", "conf_high"]].tolist() == pytest.approx(
        [0.0524, 0.3339],
        abs=5e-5,  # Newcombe (1998), as printed
    )
    assert found["p"].tolist() == pytest.approx([0.008045081] * 2, abs=5e-10)  # z 2.650171951
    assert found["p_holm"].tolist() == found["p"].tolist()  # one question, asked once


def test_each_p_value_is_that_of_the_two_by_two_table():
    found = compare_groups(SHARES, kind="share")
    for row, p in zip(SHARES.itertuples(), found["p"], strict=True):
        rest_n, rest_total = SHARES["n"].sum() - row.n, SHARES["total"].sum() - row.total
        table = [[row.total, row.n - row.total], [rest_total, rest_n - rest_total]]
        assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-9)


def test_p_values_are_adjusted_over_the_family():
    found = compare_groups(SHARES, kind="share")
    assert found["p_holm"].tolist() == pytest.approx(holm(found["p"].tolist()).tolist())
    assert found["p_bh"].tolist() == pytest.approx(benjamini_hochberg(found["p"].tolist()).tolist())
    assert found.loc[found["p_holm"] < 0.05, "group"].tolist() == ["d"]


def means(*samples):
    values = [np.array(s, dtype=float) for s in samples]
    return pd.DataFrame(
        {
            "group": list("abcdef")[: len(values)],
            "n": [len(v) for v in values],
            "total": [v.sum() for v in values],
            "squares": [(v**2).sum() for v in values],
        }
    )


def test_means_are_compared_by_welchs_test():
    rng = np.random.default_rng(5)
    a, b = rng.normal(4, 1, 40), rng.normal(3.5, 2, 25)
    found = compare_groups(means(a, b), kind="mean").iloc[0]
    other = stats.ttest_ind(a, b, equal_var=False)
    assert found["p"] == pytest.approx(other.pvalue, rel=1e-8)  # sums of squares cancel
    interval = other.confidence_interval()
    assert (found["conf_low"], found["conf_high"]) == pytest.approx(
        (interval.low, interval.high), rel=1e-8
    )


def test_the_detectable_difference_is_larger_where_more_questions_are_asked():
    two = compare_groups(SHARES.iloc[:2].assign(n=100, total=50), kind="share")
    many = pd.DataFrame(
        {"group": list("abcdefgh"), "n": [100] * 2 + [10] * 6, "total": [50] * 2 + [5] * 6}
    )
    several = compare_groups(many, kind="share")
    assert two["detectable"].notna().all()
    assert several.loc[0, "detectable"] > 0
    # 100 against 100 in one question, 100 against 160 in eight
    assert several.loc[0, "detectable"] > two.loc[0, "detectable"]


def test_a_small_group_is_not_tested_but_counts_among_the_others():
    groups = pd.concat([SHARES, pd.DataFrame({"group": ["tiny"], "n": [3], "total": [0]})])
    found = compare_groups(groups, kind="share").set_index("group")
    assert np.isnan(found.loc["tiny", "p"])
    assert "too few" in found.loc["tiny", "method"]
    assert found.loc["a", "rest"] == pytest.approx((90 + 129 + 70) / (93 + 136 + 82 + 3))
    assert found["p_holm"].drop("tiny").tolist() == pytest.approx(
        holm(found["p"].drop("tiny").tolist()).tolist()
    )


def test_repeated_answers_of_few_customers_prove_less():
    once = pd.DataFrame(
        {"group": ["a", "b"], "n": [120.0, 120.0], "total": [84.0, 60.0], "squares": [84.0, 60.0]}
    )
    # The same answers from 20 customers a group, six alike from each.
    few = once.assign(
        customers=20, n_n=20 * 36, n_total=6 * once["total"], total_total=6 * once["total"]
    )
    for kind in ("share", "mean"):
        sure, less = compare_groups(once, kind=kind), compare_groups(few, kind=kind)
        assert less.loc[0, "p"] > 10 * sure.loc[0, "p"]
        assert less.loc[0, "conf_low"] < sure.loc[0, "conf_low"]
        assert less.loc[0, "detectable"] > sure.loc[0, "detectable"]


def test_many_groups_of_very_different_size_can_be_compared():
    rng = np.random.default_rng(1)
    groups = means(*[rng.integers(1, 6, size) for size in (700, 300, 60, 11, 10)])
    found = compare_groups(groups, kind="mean")
    assert found[["estimate", "conf_low", "p_holm", "detectable"]].notna().all(axis=None)
    assert found.loc[4, "detectable"] > found.loc[1, "detectable"]


def test_outcomes_that_never_vary_are_no_difference():
    same = pd.DataFrame({"group": ["a", "b"], "n": [50, 60], "total": [50, 60]})
    assert compare_groups(same, kind="share")["p"].tolist() == [1.0, 1.0]
    constant = means([4.0] * 20, [5.0] * 20)
    assert compare_groups(constant, kind="mean")["p"].isna().all()


@pytest.mark.parametrize("names", [["a"], ["a", "a"]])
def test_one_group_or_a_name_given_twice_is_refused(names):
    groups = pd.DataFrame({"group": names, "n": 50, "total": 20})
    with pytest.raises(DataError, match="two or more groups"):
        compare_groups(groups, kind="share")
