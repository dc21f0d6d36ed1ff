"""Purchases and amounts are those of BG/NBD and gamma-gamma, by closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import hyp2f1
from scipy.stats import rankdata

from cxlab.data.sample.company import EXPORTED_AT, company
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.purchases import simulate_orders
from cxlab.data.sample.world import World

SEED = 11
EXPORTED = np.datetime64(EXPORTED_AT, "s")


def bought(variant="base", count=20_000, first=0, **changes):
    world = World(replace(company(variant), **changes), SEED)
    people = simulate_people(world, first, count)
    return world, people, simulate_orders(world, {"people": people})


@pytest.fixture(scope="module")
def base():
    return bought()


def expected_repeats(s, weeks):
    """Expected repeat purchases in some weeks: Fader, Hardie & Lee (2005), equation 9."""
    a = s.a + 1e-6 if s.a == 1 else s.a  # the formula's limit where a is 1
    share = s.alpha / (s.alpha + weeks)
    ways = hyp2f1(s.r, s.b, a + s.b - 1, weeks / (s.alpha + weeks))
    return (a + s.b - 1) / (a - 1) * (1 - share**s.r * ways)


def test_mean_repeat_purchases_of_each_segment_follow_the_closed_form(base):
    world, people, tables = base
    seen = people[people["first_seen_at"] >= world.start]
    orders = tables["orders"]
    repeats = orders[orders["true_purchase"] > 0].groupby("person").size()
    repeats = repeats.reindex(seen["person"], fill_value=0).to_numpy()
    weeks = (EXPORTED - seen["first_seen_at"].to_numpy()).astype(float) / 604_800
    for segment in world.company.segments:
        here = (seen["segment"] == segment.name).to_numpy()
        gap = repeats[here] - expected_repeats(segment, weeks[here])
        # Four standard errors of the mean: one false alarm in 16,000.
        assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(here.sum())
        none = (segment.alpha / (segment.alpha + weeks[here])) ** segment.r
        z = ((repeats[here] == 0) - none).sum() / np.sqrt((none * (1 - none)).sum())
        assert abs(z) < 4


def test_nobody_buys_after_the_purchase_with_which_they_left(base):
    _, people, tables = base
    truth, orders = tables["true_people"], tables["orders"]
    last = orders[orders["true_purchase"] >= 0].groupby("person")["placed_at"].max()
    until = truth.set_index("person")["true_alive_until"].dropna()
    assert 0.3 < len(until) / len(people) < 0.95
    both = last.reindex(until.index).dropna()
    assert (both <= until[both.index]).all()


def test_mean_spend_of_each_segment_is_that_of_gamma_gamma(base):
    world, people, tables = base
    truth = tables["true_people"]["true_spend"].to_numpy() / 1_000
    for segment in world.company.segments:
        here = truth[(people["segment"] == segment.name).to_numpy()]
        mean = segment.p * segment.gamma / (segment.q - 1)
        assert abs(here.mean() - mean) < 4 * here.std() / np.sqrt(len(here))
    orders = tables["orders"]
    row = orders["person"].to_numpy()
    share = orders["net_amount"].to_numpy() / (1_000 * truth[row])
    shape = np.array([s.p for s in world.company.segments])[people["segment"].cat.codes[row]]
    # Amounts around a customer's mean are gamma(p) / p: mean 1, variance 1 / p.
    assert abs((share - 1).mean()) < 4 * share.std() / np.sqrt(len(share))
    assert np.mean((share - 1) ** 2 * shape) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("variant", "tie"), [("base", 0.0), ("misspecified", 0.5)])
def test_spend_depends_on_the_rate_in_the_misspecified_company_only(variant, tie):
    _, people, tables = bought(variant)
    truth = tables["true_people"]
    for name in ("ritualist", "explorer"):
        here = truth[(people["segment"] == name).to_numpy()]
        ranks = rankdata(here["true_rate"]), rankdata(here["true_spend"])
        rank_tie = np.corrcoef(*ranks)[0, 1]
        # Of a normal copula: 6 / pi * arcsin(tie / 2). Standard error 1 / sqrt(5,000).
        assert rank_tie == pytest.approx(6 / np.pi * np.arcsin(tie / 2), abs=0.06)


def test_the_margins_stay_when_spend_is_tied_to_the_rate():
    world, people, tables = bought("misspecified")
    truth = tables["true_people"]
    for segment in world.company.segments:
        here = truth[(people["segment"] == segment.name).to_numpy()]
        rate, spend = here["true_rate"], here["true_spend"] / 1_000
        mean = segment.p * segment.gamma / (segment.q - 1)
        assert abs(rate.mean() - segment.r / segment.alpha) < 4 * rate.std() / len(here) ** 0.5
        assert abs(spend.mean() - mean) < 4 * spend.std() / len(here) ** 0.5


def test_cancelled_orders_come_on_top_of_the_purchases(base):
    world, _, tables = base
    orders = tables["orders"]
    gone = (orders["status"] == "cancelled").to_numpy()
    assert (gone == (orders["true_purchase"] < 0)).all()
    share = world.company.commerce.cancelled
    many = (~gone).sum()
    assert abs(gone.sum() - share * many) < 4 * np.sqrt(share * many) + 5  # a few fall after export


def test_orders_are_numbered_in_order_and_lie_in_the_log(base):
    world, _, tables = base
    orders = tables["orders"]
    assert orders["order"].is_monotonic_increasing
    assert orders["order"].is_unique
    assert orders["placed_at"].between(world.start, EXPORTED, inclusive="left").all()
    assert (orders["order"] // 10_000 == orders["person"]).all()
    assert (orders.groupby("person")["placed_at"].diff().dropna() >= np.timedelta64(0)).all()


def test_channels_move_in_the_drifting_company_only(base):
    world, _, drifted = bought("drift")
    for company_world, tables, drift in ((base[0], base[2], 0.0), (world, drifted, 0.6)):
        orders = tables["orders"]
        quarter = company_world.quarter(orders["placed_at"].to_numpy())
        truth = company_world.company.commerce
        for k in (0, 11):
            here = orders["channel"][quarter == k].value_counts(normalize=True)
            way = drift * k / 11
            for channel, share in truth.channels.items():
                true = (1 - way) * share + way * truth.channels_new[channel]
                # Orders of one customer share a channel: allow for some 2,000 customers.
                assert here[channel] == pytest.approx(true, abs=0.04)


def test_only_organisations_order_by_quote(base):
    _, people, tables = base
    quoted = tables["orders"].query("quote >= 0")
    offices = people.set_index("person")["party"] == "organisation"
    assert offices[quoted["person"]].all()
    of_offices = tables["orders"][offices[tables["orders"]["person"]].to_numpy()]
    assert len(quoted) / len(of_offices) == pytest.approx(0.02, abs=0.005)
    assert (quoted["quote"] == quoted["order"]).all()


def test_the_same_seed_makes_the_same_orders():
    _, _, once = bought(count=500, first=5_000)
    _, _, again = bought(count=500, first=5_000)
    for name in once:
        assert once[name].equals(again[name])


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_handful_of_customers_is_no_problem(count):
    _, people, tables = bought("tiny", count=count)
    assert len(tables["true_people"]) == len(people) == count
