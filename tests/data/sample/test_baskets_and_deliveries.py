"""Lines add up, stock runs out, and parcels are late as often as the truth says."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from cxlab.data.sample.baskets import simulate_baskets, stock_out_share
from cxlab.data.sample.company import EXPORTED_AT, REGIONS, company
from cxlab.data.sample.deliveries import (
    simulate_deliveries,
    simulate_promises,
    simulate_returns,
)
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.purchases import simulate_orders
from cxlab.data.sample.world import World

STEPS = (simulate_orders, simulate_baskets, simulate_deliveries, simulate_returns,
         simulate_promises)  # fmt: skip


def made(variant="base", count=20_000, seed=12):
    world = World(company(variant), seed)
    tables = {"people": simulate_people(world, 0, count)}
    for step in STEPS:
        tables |= step(world, tables)
    return world, tables


@pytest.fixture(scope="module")
def base():
    return made()


@pytest.mark.parametrize("count", [1, 40, 5_000])
def test_the_lines_of_an_order_add_up_to_the_rupiah(count):
    _, tables = made("tiny", count, seed=3)
    lines, orders = tables["order_lines"], tables["orders"].set_index("order")
    kept = lines[lines["cancel_reason"] != "out_of_stock"]
    total = kept.groupby("order")["net_amount"].sum()
    assert (total == orders["net_amount"]).all()
    assert (lines["net_amount"] >= 0).all()
    assert (lines["quantity"] >= 1).all()


def test_lines_run_out_of_stock_as_often_as_their_product_and_quarter_say(base):
    world, tables = base
    lines = tables["order_lines"].merge(
        tables["orders"][["order", "placed_at", "status", "quote"]], on="order"
    )
    lines = lines[lines["status"] != "cancelled"]
    events = tables["stock_events"]
    short = events[events["kind"] == "stockout_after_order"]
    cell = lines["product"], world.quarter(lines["placed_at"].to_numpy())
    expected = stock_out_share(world)[cell]
    z = (len(short) - expected.sum()) / np.sqrt((expected * (1 - expected)).sum())
    assert abs(z) < 4
    found = lines[["order", "line_no"]].merge(
        short[["order", "line_no"]], how="left", indicator=True
    )
    hit = (found["_merge"] == "both").to_numpy()
    many = np.bincount(np.digitize(expected, [0.01, 0.02, 0.05]), minlength=4)
    seen = np.bincount(np.digitize(expected, [0.01, 0.02, 0.05]), weights=hit, minlength=4)
    true = np.bincount(np.digitize(expected, [0.01, 0.02, 0.05]), weights=expected, minlength=4)
    assert (many > 1_000).all()
    assert (abs(seen - true) < 4 * np.sqrt(true)).all()


def test_what_ran_out_is_cancelled_only_where_something_else_is_sent(base):
    _, tables = base
    lines = tables["order_lines"]
    dropped = lines[lines["cancel_reason"] == "out_of_stock"]
    assert dropped["cancelled_at"].notna().all()
    kept = lines[lines["cancelled_at"].isna()]
    assert dropped["order"].isin(kept["order"]).all()
    waits = tables["stock_events"].query("kind in ('backorder', 'substitute')")
    assert not waits.merge(dropped, on=["order", "line_no"]).size


def test_late_shares_of_regions_and_quarters_are_those_of_the_truth(base):
    world, tables = base
    sent = tables["deliveries"].merge(tables["orders"][["order", "placed_at"]], on="order")
    region = tables["people"]["region"].cat.codes.to_numpy()[sent["person"]]
    quarter = world.quarter(sent["placed_at"].to_numpy())
    frame = pd.DataFrame({"r": region, "q": quarter, "late": sent["true_is_late"].to_numpy()})
    cells = frame.groupby(["r", "q"])["late"].agg(["sum", "size"]).reset_index()
    odds = logit(world.company.late_share) + world.region_late[cells["r"], cells["q"]]
    carrier = [i.name for i in world.company.initiatives].index("second carrier")
    odds += world.company.initiatives[carrier].effect * (
        cells["q"] >= world.rollout[carrier][cells["r"]]
    )
    true = 1 / (1 + np.exp(-odds))
    chi2 = ((cells["sum"] - cells["size"] * true) ** 2 / (cells["size"] * true * (1 - true))).sum()
    assert len(cells) == len(REGIONS) * 12
    # Chi-square with as many degrees of freedom as cells: mean 300, four sd of 24.5.
    assert abs(chi2 - len(cells)) < 4 * np.sqrt(2 * len(cells))


def test_a_parcel_is_late_when_it_comes_after_the_promised_day(base):
    _, tables = base
    sent = tables["deliveries"].dropna(subset=["delivered_at"])
    local = (sent["delivered_at"] + pd.Timedelta(hours=7)).dt.normalize()
    days = (local - sent["promised_on"]).dt.days
    assert (days == sent["days_late"]).all()
    assert ((days > 0) == sent["is_late"]).all()
    assert (sent["shipped_at"] < sent["delivered_at"]).all()
    assert (sent["delivered_at"] < EXPORTED_AT).all()
    placed = tables["orders"].set_index("order")["placed_at"][sent["order"]].to_numpy()
    assert (placed < sent["shipped_at"].to_numpy()).all()


def test_the_second_carrier_changes_nothing_in_the_null_company():
    world, tables = made("null", 5_000)
    sent = tables["deliveries"].merge(tables["orders"][["order", "placed_at"]], on="order")
    region = tables["people"]["region"].cat.codes.to_numpy()[sent["person"]]
    quarter = world.quarter(sent["placed_at"].to_numpy())
    odds = logit(world.company.late_share) + world.region_late[region, quarter]
    true = 1 / (1 + np.exp(-odds))
    assert np.allclose(sent["true_late_probability"], true)
    assert (sent["carrier"] == "kurir dua").any()


def test_what_comes_back_is_refunded_whole_whatever_it_cost(base):
    _, tables = base
    back, orders = tables["returns"], tables["orders"].set_index("order")
    assert (orders.loc[back["order"], "status"] == "returned").all()
    assert (orders["status"] == "returned").sum() == len(back)
    share = len(back) / tables["deliveries"]["delivered_at"].notna().sum()
    assert share == pytest.approx(0.025, abs=0.003)  # 80,000 deliveries: se 0.0006, less a few late
    done = back.dropna(subset=["resolved_at"])
    assert (done["refund_amount"].to_numpy() == orders.loc[done["order"], "net_amount"]).all()
    assert (orders.loc[back["order"], "refund_amount"].to_numpy() == back["refund_amount"]).all()


def test_promises_are_kept_when_parcels_are_in_time_and_goods_in_stock(base):
    _, tables = base
    promises, sent = tables["promises"], tables["deliveries"].set_index("order")
    dates = promises[promises["kind"] == "delivery_date"].set_index("order")
    assert ((dates["kept"] == 0) == sent["is_late"]).all()
    stock = promises[promises["kind"] == "availability"]
    short = tables["stock_events"]["order"]
    assert ((stock["kept"] == 0) == stock["order"].isin(short)).all()
    assert promises["promise"].is_unique
