"""A part against the whole it belongs to, and a part weighted like the whole."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.differences import welch
from cxlab.stats.intervals import t_mean
from cxlab.stats.part import part_of_whole
from cxlab.stats.poststratify import collapsed, kish_n, poststratified


def sums(values: np.ndarray) -> dict[str, float]:
    """Sums of customers who count once each."""
    n, total, squares = float(len(values)), float(values.sum()), float((values**2).sum())
    return {"customers": n, "n": n, "n_n": n, "total": total, "n_total": total,
            "total_total": squares, "squares": squares}  # fmt: skip


def test_the_gap_is_the_share_of_the_rest_times_the_distance():
    part, rest = np.arange(20.0), np.arange(60.0) / 2
    found = part_of_whole(sums(part), sums(rest), kind="mean")
    assert found.whole == pytest.approx(np.concatenate([part, rest]).mean())
    assert found.gap.estimate == pytest.approx(found.part - found.whole)
    apart = welch(*((len(v), v.sum(), (v**2).sum()) for v in (part, rest)))
    assert (found.gap.low, found.gap.high) == pytest.approx((0.75 * apart.low, 0.75 * apart.high))


def test_a_side_of_one_is_not_tested():
    found = part_of_whole(sums(np.array([3.0])), sums(np.arange(50.0)), kind="mean")
    assert np.isnan(found.gap.estimate)
    assert np.isnan(found.p)
    assert found.part == 3


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_weights_that_are_all_equal_give_the_plain_mean(seed: int):
    values = np.random.default_rng(seed).normal(5, 2, 40)
    cells = pd.DataFrame([sums(values) | {"members": 40.0, "base": 100.0}])
    found, plain = poststratified(cells), t_mean(40, values.sum(), (values**2).sum())
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (plain.estimate, plain.low, plain.high)
    )
    assert found.n == pytest.approx(40)


def test_each_member_stands_for_its_cell():
    """Hand-worked: 10 of 10 with 5 successes, 10 of 30 with 8: (5 + 24) / 40."""
    cells = pd.DataFrame(
        [sums(np.repeat([1.0, 0], [k, 10 - k])) | {"members": 10, "base": b}
         for k, b in ((5, 10), (8, 30))]
    )  # fmt: skip
    assert poststratified(cells).estimate == pytest.approx(29 / 40)
    # Kish: (10 + 30) squared over 10 x 1 + 10 x 9.
    assert kish_n(cells) == pytest.approx(16)


@settings(deadline=None, max_examples=40)  # a machine may be busy
@given(
    members=st.lists(st.integers(0, 30), min_size=12, max_size=12),
    least=st.integers(2, 40),
)
def test_cells_that_were_joined_are_large_enough_and_lose_nobody(members: list[int], least: int):
    cells = pd.DataFrame(
        [(a, b, c) for a in "xyz" for b in "pq" for c in "mn"], columns=["a", "b", "c"]
    ).assign(members=members, base=[m + 1 for m in members])
    if sum(members) < least:
        with pytest.raises(DataError, match="members in all"):
            collapsed(cells, ["a", "b", "c"], least=least)
        return
    found = collapsed(cells, ["a", "b", "c"], least=least)
    assert (found["members"] >= least).all()
    assert found[["members", "base"]].sum().tolist() == cells[["members", "base"]].sum().tolist()
    mixed = cells.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(found, collapsed(mixed, ["a", "b", "c"], least=least))


# Consent depends on the region and on the rate at which a customer buys.
CUSTOMERS, ROUNDS = 600, 200


def willing(north, rate, effect: float):
    return 1 / (1 + np.exp(-(0.3 + effect * (0.8 * north + 0.5 * (rate - 2)))))


def people(rng: np.random.Generator, count: int):
    """Customers in two regions; those of the north buy more."""
    north = rng.random(count) < 0.4
    return north, rng.gamma(2, 1, count) + 0.5 * north


@pytest.mark.parametrize("effect", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["mean", "share"])
def test_the_interval_covers_the_truth_where_consent_depends_on_region_and_spend(
    effect: float, kind: str
):
    rng = np.random.default_rng(20180401)
    north, rate = people(rng, 1_000_000)
    p = willing(north, rate, effect)
    # The outcome: orders, or whether there was one.
    truth = rate if kind == "mean" else 1 - np.exp(-rate)
    distance = np.average(truth, weights=p) - np.average(truth, weights=1 - p)
    whole, inside, plain, weighted = truth.mean(), 0, [], []
    for _ in range(ROUNDS):
        north, rate = people(rng, CUSTOMERS)
        consents = rng.random(CUSTOMERS) < willing(north, rate, effect)
        orders = rng.poisson(rate).astype(float)
        orders = orders if kind == "mean" else np.minimum(orders, 1)
        found = part_of_whole(sums(orders[consents]), sums(orders[~consents]), kind=kind)
        target = (1 - consents.mean()) * distance
        inside += found.gap.low <= target <= found.gap.high
        cells = pd.DataFrame(
            [sums(orders[consents & (north == side)])
             | {"members": (consents & (north == side)).sum(), "base": (north == side).sum()}
             for side in (True, False)]
        )  # fmt: skip
        plain.append(found.part - whole)
        weighted.append(poststratified(cells).estimate - whole)
    # 99.9 % of perfect intervals lie in [0.895, 0.99] where R = 200 (binomial).
    assert 0.895 <= inside / ROUNDS <= 0.99
    if effect:
        # The region explains a part of it, the rate itself is not among the weights.
        assert 0 < np.mean(weighted) < np.mean(plain)
