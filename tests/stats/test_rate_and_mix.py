"""The parts of a change add up to it, and mean what they say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.rate_and_mix import rate_and_mix

COLUMNS = ["group", "n", "total", "n_before", "total_before"]


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


cell = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
tables = (
    st.lists(st.tuples(cell, cell), min_size=1, max_size=12)
    .map(lambda rows: table(*((f"g{i}", *a, *b) for i, (a, b) in enumerate(rows))))
    .filter(lambda t: t["n"].sum() > 0 and t["n_before"].sum() > 0)
)


@given(tables)
def test_the_parts_of_all_groups_add_up_to_the_change(groups):
    found = rate_and_mix(groups)
    change = groups["total"].sum() / groups["n"].sum()
    change -= groups["total_before"].sum() / groups["n_before"].sum()
    assert found.rate.estimate + found.mix.estimate == pytest.approx(change, abs=1e-9)
    by_group = found.groups
    assert by_group["rate"].sum() == pytest.approx(found.rate.estimate, abs=1e-9)
    assert by_group["mix"].sum() == pytest.approx(found.mix.estimate, abs=1e-9)
    alone = by_group["presence"] != "both"
    assert (by_group["rate"][alone] == 0).all()


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_groups_says_nothing_and_swapping_the_periods_turns_the_signs(groups, random):
    one = rate_and_mix(groups)
    order = random.sample(range(len(groups)), len(groups))
    other = rate_and_mix(groups.iloc[order])
    swapped = rate_and_mix(
        table(*groups[["group", "n_before", "total_before", "n", "total"]].to_numpy().tolist())
    )
    for name in ("rate", "mix"):
        first = getattr(one, name)
        assert getattr(other, name).estimate == pytest.approx(first.estimate, abs=1e-12)
        assert getattr(other, name).se == pytest.approx(first.se, abs=1e-10)
        assert getattr(swapped, name).estimate == pytest.approx(-first.estimate, abs=1e-12)
        assert getattr(swapped, name).se == pytest.approx(first.se, abs=1e-10)


def test_a_change_of_sizes_alone_is_mix_and_of_shares_alone_is_rate():
    sizes = rate_and_mix(table(("app", 500, 200, 200, 80), ("web", 500, 100, 800, 160)))
    assert sizes.rate.estimate == pytest.approx(0, abs=1e-12)
    assert sizes.mix.estimate == pytest.approx(0.30 - 0.24)
    shares = rate_and_mix(table(("app", 200, 100, 200, 80), ("web", 800, 240, 800, 160)))
    assert shares.mix.estimate == pytest.approx(0, abs=1e-12)
    assert shares.groups["rate"].tolist() == pytest.approx([0.02, 0.08])  # 0.2 x 0.1, 0.8 x 0.1


def test_the_printed_example_by_hand():
    # Shares .4 to .5 and .2 to .1; weights .2 to .5 and .8 to .5; all .24 to .30.
    found = rate_and_mix(table(("a", 100, 50, 40, 16), ("b", 100, 10, 160, 32))).groups
    assert found["rate"].tolist() == pytest.approx([0.35 * 0.1, 0.65 * -0.1])
    assert found["mix"].tolist() == pytest.approx([0.3 * (0.45 - 0.27), -0.3 * (0.15 - 0.27)])


def test_a_new_group_and_one_that_is_gone_are_mix_alone():
    found = rate_and_mix(table(("old", 0, 0, 100, 10), ("new", 100, 30, 0, 0), ("x", 10, 1, 9, 1)))
    rows = found.groups.set_index("group")
    assert rows["presence"].to_dict() == {"old": "gone", "new": "new", "x": "both"}
    assert rows.loc[["old", "new"], "rate"].tolist() == [0, 0]
    assert np.isnan(rows.loc["new", "share_before"])


def test_one_group_is_all_rate_and_its_error_that_of_a_difference_of_shares():
    found = rate_and_mix(table(("all", 1000, 300, 2000, 500)))
    assert found.rate.estimate == pytest.approx(0.05)
    assert found.mix.estimate == 0
    wald = np.sqrt(0.3 * 0.7 / 1000 + 0.25 * 0.75 / 2000)
    assert found.rate.se == pytest.approx(wald, rel=2e-3)  # half a case is added to each cell


def test_a_design_effect_widens_what_it_belongs_to():
    groups = table(("all", 1000, 300, 1000, 300))
    plain, both = rate_and_mix(groups), rate_and_mix(
        groups, design_effect=4, design_effect_before=4
    )  # fmt: skip
    assert both.rate.se == pytest.approx(2 * plain.rate.se)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([("a", 5, 6, 5, 5)], "total must lie between 0 and n"),
        ([("a", 5, 5, 0, 0)], "n_before adds up to none"),
        ([("a", 5, 5, 5, 5), ("a", 5, 5, 5, 5)], "there twice"),
    ],
)
def test_what_cannot_be_is_refused(rows, match):
    with pytest.raises(DataError, match=match):
        rate_and_mix(table(*rows))
