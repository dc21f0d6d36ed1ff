"""Invoices, points and exposures hang together with what they are about."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.sample.company import EXPORTED_AT, LOG_ENDS, LOG_STARTS, REGIONS, company
from cxlab.data.sample.exposures import initiative_costs, world_exposures
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.points import simulate_points
from cxlab.data.sample.simulate import STEPS
from cxlab.data.sample.world import World

COMMERCE = STEPS[: STEPS.index(simulate_points) + 1]


def made(variant="base", count=10_000, seed=8, first=0):
    world = World(company(variant), seed)
    tables = {"people": simulate_people(world, first, count)}
    for step in COMMERCE:
        tables |= step(world, tables)
    return world, tables


@pytest.fixture(scope="module")
def base():
    return made()


def test_an_involuntary_end_follows_an_invoice_that_was_never_paid(base):
    _, tables = base
    bills = tables["invoices"].query("subscription >= 0")
    last = bills.drop_duplicates("subscription", keep="last").set_index("subscription")
    ended = tables["subscriptions"].set_index("subscription")
    failed = ended.index[ended["end_kind"] == "involuntary"].intersection(last.index)
    assert len(failed) > 50
    assert last.loc[failed, "paid_at"].isna().all()
    assert (last.loc[failed, "failed_attempts"] == 4).all()
    gap = ended.loc[failed, "ended_at"] - last.loc[failed, "issued_at"]
    assert (gap <= pd.Timedelta(days=30.4375)).all()
    assert (bills["failed_attempts"] == 4).sum() == len(failed)


def test_an_invoice_has_the_amount_that_held_when_it_was_issued(base):
    _, tables = base
    bills = tables["invoices"].query("subscription >= 0")
    changes = tables["subscription_changes"]
    start = tables["subscriptions"].set_index("subscription")["monthly_amount"]
    for bill in bills.sample(200, random_state=1).itertuples():
        held = changes[
            (changes["subscription"] == bill.subscription)
            & (changes["changed_at"] <= bill.issued_at)
        ]
        amounts = [start[bill.subscription], *held["monthly_amount_after"]]
        assert bill.total_amount == amounts[-1]


def test_only_orders_of_organisations_are_invoiced(base):
    _, tables = base
    bills = tables["invoices"].query("order >= 0")
    party = tables["people"].set_index("person")["party"]
    assert (party[bills["person"]] == "organisation").all()
    assert tables["invoices"]["invoice"].is_unique
    assert tables["invoices"]["issued_at"].between(LOG_STARTS, EXPORTED_AT).all()


def test_balances_of_points_never_fall_below_zero(base):
    _, tables = base
    entries = tables["loyalty"]
    balance = entries.groupby("person")["points"].cumsum()
    assert (balance >= 0).all()
    assert {"join", "earn", "redeem", "expire", "tier"} == set(entries["kind"])
    after = entries[entries["kind"].isin(["redeem", "expire"])].index
    assert (balance[after] == 0).all()
    assert entries["entry"].is_unique


def test_about_half_of_the_customers_collect_points(base):
    world, tables = base
    late = tables["people"]["first_seen_at"] >= world.start
    members = tables["loyalty"].query("kind == 'join'")["person"].nunique()
    # Less the few who join after the export: within four sd of half of 6,000.
    assert members / late.sum() == pytest.approx(0.5, abs=0.035)


def test_points_are_doubled_for_the_treated_only(base):
    world, tables = base
    place = [i.name for i in world.company.initiatives].index("double points")
    start = world.quarter_starts[world.company.initiatives[place].starts_quarter]
    earned = (
        tables["loyalty"]
        .query("kind == 'earn'")
        .merge(tables["orders"][["order", "net_amount"]], on="order")
    )
    arm = tables["people"].set_index("person")[f"arm_{place}"][earned["person"]].to_numpy()
    factor = np.where((arm == 1) & (earned["booked_at"].to_numpy() >= start), 2, 1)
    assert (earned["points"] == factor * (earned["net_amount"] // 10_000)).all()


@pytest.mark.parametrize("variant", ["base", "null"])
def test_customers_are_assigned_when_an_initiative_begins_or_when_first_seen(variant):
    world, tables = made(variant, 4_000)
    rows = tables["exposures"]
    assert not rows.duplicated(["initiative", "unit"]).any()
    for place, part in rows.groupby("initiative"):
        start = world.quarter_starts[world.company.initiatives[place].starts_quarter]
        seen = tables["people"].set_index("person")["first_seen_at"][part["unit"]]
        assert (part["assigned_at"].to_numpy() == np.maximum(seen.to_numpy(), start)).all()
        treated = part["arm"] == "treated"
        assert (part["first_exposed_at"].notna() == treated).all()
        assert treated.mean() == pytest.approx(0.5, abs=0.032)  # four sd of 4,000 coins


def test_regions_are_treated_from_the_quarter_of_their_wave():
    world = World(company("base"), 8)
    rows = world_exposures(world)
    regional = rows[rows["unit_kind"] == "region"]
    for place, part in regional.groupby("initiative"):
        assert len(part) == len(REGIONS)
        assert (part["arm"] == "treated").sum() == 20
        reached = world.rollout[place][part["unit"]]
        treated = (part["arm"] == "treated").to_numpy()
        assert (
            part["assigned_at"].to_numpy()[treated] == world.quarter_starts[reached[treated]]
        ).all()
    assert (rows[rows["unit_kind"] == "company"]["arm"] == "treated").all()


def test_costs_are_booked_from_the_start_of_an_initiative_to_the_end_of_the_log():
    world = World(company("base"), 8)
    costs = initiative_costs(world)
    assert (costs.groupby("initiative")["kind"].agg(lambda k: (k == "one_off").sum()) == 1).all()
    assert costs["booked_on"].max() < pd.Timestamp(LOG_ENDS)
    assert not costs.duplicated(["initiative", "booked_on", "kind"]).any()
    assert set(costs["initiative"]) == set(range(12))


def test_the_same_seed_makes_the_same_tables_and_another_one_others():
    _, once = made(count=300, first=10_000)
    _, again = made(count=300, first=10_000)
    _, other = made(count=300, first=10_000, seed=9)
    for name, table in once.items():
        pd.testing.assert_frame_equal(table, again[name])
    assert not once["orders"].equals(other["orders"])


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_handful_of_customers_is_no_problem(count):
    for seed in range(5):
        _, tables = made("tiny", count=count, seed=seed)
        assert len(tables["true_people"]) == count
