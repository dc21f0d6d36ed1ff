"""Journeys follow the chain, and what is said of their worth is so."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from cxlab.data.sample.company import company
from cxlab.data.sample.journeys import chain, first_order, truth_of_journeys
from cxlab.data.sample.paths import simulate_journeys
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.purchases import simulate_orders
from cxlab.data.sample.touchpoints import CHANNELS, TOUCHPOINTS
from cxlab.data.sample.world import World

DAY = np.timedelta64(86_400, "s")


@cache
def made(variant="base", count=15_000):
    world = World(company(variant), 5)
    tables = {"people": simulate_people(world, 0, count)}
    tables |= simulate_orders(world, tables)
    return world, tables | simulate_journeys(world, tables)


def steps(touches):
    """Count (from, to): 0 is the start and 1 to 9 the touchpoints; 9 a purchase, 10 nothing."""
    place = touches["touchpoint"].cat.codes.to_numpy()
    journey = touches["journey"].to_numpy()
    same = journey[1:] == journey[:-1]
    first, last = np.append(True, ~same), np.append(~same, True)
    bought = touches["order"].to_numpy()[last] >= 0
    counts = np.zeros((10, 11))
    np.add.at(counts, (place[:-1][same] + 1, place[1:][same]), 1)
    np.add.at(counts, (0, place[first]), 1)
    np.add.at(counts, (place[last] + 1, np.where(bought, 9, 10)), 1)
    return counts


def test_every_step_is_taken_as_often_as_the_chain_says():
    world, tables = made()
    counts = steps(tables["touches"])
    size = counts.sum(axis=1, keepdims=True)
    share = world.company.transitions
    noise = np.sqrt(share * (1 - share) / size)
    # 110 numbers: 4.5 standard errors are passed by chance once in a thousand seeds.
    assert (np.abs(counts / size - share) <= 4.5 * noise).all()


def test_removal_effects_are_the_share_of_purchases_whose_journey_met_the_touchpoint():
    # Who loses every journey through a touchpoint loses just the purchases of those.
    world, tables = made()
    touches = tables["touches"]
    buying = touches[touches.groupby("journey")["order"].transform("max") >= 0]
    truth = truth_of_journeys(world.company).set_index(["kind", "name"])["removal_effect"]
    purchases = buying["journey"].nunique()
    for name in TOUCHPOINTS:
        met = buying.loc[buying["touchpoint"] == name, "journey"].nunique() / purchases
        assert met == pytest.approx(truth["touchpoint", name], abs=4 * np.sqrt(0.25 / purchases))
    for name in (c for channels in CHANNELS.values() for c in channels):
        met = buying.loc[buying["channel"] == name, "journey"].nunique() / purchases
        assert met == pytest.approx(truth["channel", name], abs=4 * np.sqrt(0.25 / purchases))


def test_as_many_journeys_end_in_a_purchase_as_the_formula_says():
    for variant in ("base", "misspecified"):
        world, tables = made(variant)
        rate = truth_of_journeys(world.company)["conversion_rate"].iloc[0]
        bought = (tables["journeys"]["order"] >= 0).mean()
        noise = np.sqrt(rate / len(tables["journeys"]))  # the number of failures is random
        assert bought == pytest.approx(rate, abs=4 * noise)


def test_the_formula_agrees_with_journeys_drawn_step_by_step():
    # The plainest independent way: walk forward from the start, a step at a time.
    rng = np.random.default_rng(8)
    transitions = company().transitions
    place, met = np.full(200_000, -1), np.zeros((200_000, 9), dtype=bool)
    bought, going = np.zeros(200_000, dtype=bool), np.arange(200_000)
    while len(going):
        edges = transitions[place[going] + 1].cumsum(axis=1)[:, :-1]
        to = (rng.random((len(going), 1)) >= edges).sum(axis=1)
        bought[going[to == 9]] = True
        going, to = going[to < 9], to[to < 9]
        place[going] = to
        met[going, to] = True
    truth = truth_of_journeys(company())
    assert bought.mean() == pytest.approx(truth["conversion_rate"].iloc[0], abs=0.004)
    lost = met[bought].mean(axis=0)
    assert lost == pytest.approx(truth["removal_effect"].to_numpy()[:9], abs=0.009)  # 4 SE


def test_where_steps_are_remembered_some_go_back():
    for variant, memory in (("base", 0.0), ("misspecified", 0.35)):
        world, tables = made(variant)
        touches = tables["touches"]
        place = touches["touchpoint"].cat.codes.to_numpy()
        third = touches["step"].to_numpy()[2:] >= 2
        before, present, now = place[:-2][third], place[1:-1][third], place[2:][third]
        # Given two touches, also counting journeys that end after them.
        two = np.flatnonzero(touches["step"].to_numpy() >= 1)
        chance = world.company.transitions[place[two] + 1, place[two - 1]]
        expected = (memory + (1 - memory) * chance).mean()
        assert len(present) == len(now)
        assert (before == now).sum() / len(two) == pytest.approx(expected, abs=0.008)  # 4 SE


def test_the_company_that_drifts_moves_to_newer_channels():
    world, tables = made("drift")
    quarter = tables["journeys"].set_index("journey")["quarter"]
    touches = tables["touches"]
    early = touches[quarter.loc[touches["journey"]].to_numpy() <= 2]
    late = touches[quarter.loc[touches["journey"]].to_numpy() >= 9]
    for older, newer in (("tv spot", "social post"), ("shop visit", "marketplace page")):
        for name, sign in ((older, -1), (newer, 1)):
            change = (late["touchpoint"] == name).mean() - (early["touchpoint"] == name).mean()
            assert sign * change > 0.02
    before, after = (truth_of_journeys(world.company, q) for q in (0, 11))
    assert (before["removal_effect"] - after["removal_effect"]).abs().max() > 0.05


def test_the_steps_told_of_a_quarter_are_those_of_its_chain():
    for quarter in (0, 11):
        told = first_order(company("drift"), quarter)
        assert np.allclose(told.sum(axis=1), 1)
        follows = chain(company("drift"), quarter)
        assert np.allclose(told[0, :9], follows.step[-1])  # from the start
        assert np.allclose(told[1:, 9], follows.buy[:9])  # from a touchpoint to a purchase
    assert not np.allclose(told, company("drift").transitions)
    assert np.allclose(first_order(company("drift"), 0), company().transitions)


def test_a_journey_of_the_last_quarter_follows_the_chain_of_the_last_quarter():
    world, tables = made("drift")
    last = tables["journeys"].loc[tables["journeys"]["quarter"] == 11, "journey"]
    counts = steps(tables["touches"][tables["touches"]["journey"].isin(last)])
    size = counts.sum(axis=1, keepdims=True)
    newest = chain(world.company, 11)
    # Without memory the touchpoint before does not matter: rows 0 to 8 and the start's.
    rows = [90, *range(9)]
    ends = np.column_stack([newest.step, newest.buy, newest.nothing])
    share = ends[rows]
    noise = np.sqrt(share * (1 - share) / size)
    assert (np.abs(counts / size - share) <= 4.5 * noise).all()


def test_a_journey_leads_to_its_own_order_and_fits_between_two_orders():
    world, tables = made()
    touches = tables["touches"]
    placing = touches[touches["order"] >= 0].merge(tables["orders"], on="order")
    assert placing["order"].is_unique
    assert (placing["person_x"] == placing["person_y"]).all()
    assert (placing["at"] <= placing["placed_at"]).all()
    where = {"store": {"store", "event", "direct_selling"}}
    for channel, group in placing.groupby("channel_y", observed=True):
        assert set(group["channel_x"]) <= where.get(channel, {channel})
    orders = tables["orders"].sort_values(["person", "placed_at"])
    before = orders.groupby("person")["placed_at"].shift().fillna(pd.Timestamp(world.start))
    begins = touches.groupby("journey")["at"].min()
    journeys = tables["journeys"].set_index("journey")
    bought = journeys[journeys["order"] >= 0]
    earliest = pd.Series(before.to_numpy(), index=orders["order"]).loc[bought["order"]]
    assert (begins.loc[bought.index].to_numpy() >= earliest.to_numpy()).all()


def test_journeys_can_be_told_apart_by_purchases_and_thirty_quiet_days():
    _, tables = made()
    known = tables["touches"][tables["touches"]["person"] >= 0][["person", "at", "journey"]]
    orders = tables["orders"][["person", "placed_at"]].rename(columns={"placed_at": "at"})
    seen = pd.concat([known.assign(buys=0), orders.assign(buys=1, journey=-1)])
    seen = seen.sort_values(["person", "at", "buys"], kind="stable")
    pause = seen.groupby("person")["at"].diff() > 30 * DAY
    after_purchase = seen.groupby("person")["buys"].shift(fill_value=1) == 1
    seen["found"] = (pause | after_purchase).cumsum()
    touches = seen[seen["buys"] == 0]
    pairs = touches[["found", "journey"]].drop_duplicates()
    assert len(pairs) == pairs["found"].nunique() == pairs["journey"].nunique()
    assert len(pairs) > 10_000


def test_a_part_is_the_same_whatever_else_is_made():
    world, tables = made(count=2_000)
    again = simulate_journeys(world, {k: tables[k] for k in ("people", "orders")})
    pd.testing.assert_frame_equal(again["touches"], tables["touches"])
    pd.testing.assert_frame_equal(again["journeys"], tables["journeys"])
