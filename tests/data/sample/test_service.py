"""The service desk, its staff, and what is counted of the company as a whole."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from cxlab.data.sample.campaigns import simulate_campaigns
from cxlab.data.sample.clock import EXPORTED
from cxlab.data.sample.company import REGION_SHARES, REGIONS, company
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.referrals import simulate_margins, simulate_referrals
from cxlab.data.sample.service import simulate_service, working_hours_later
from cxlab.data.sample.simulate import STEPS, simulate_world
from cxlab.data.sample.staff import simulate_costs, simulate_shifts
from cxlab.data.sample.world import World


@cache
def made():
    world = World(company(), 7)
    tables = {"people": simulate_people(world, 0, 5_000)}
    for step in STEPS[: STEPS.index(simulate_service) + 1]:
        tables |= step(world, tables)
    for step in (simulate_referrals, simulate_margins):
        tables |= step(world, tables)
    return world, tables


@pytest.mark.parametrize(
    ("opened", "hours", "due"),
    [
        ("2026-03-02T03:00", 4, "2026-03-02T07:00"),  # 10:00 in Jakarta, 14:00
        ("2026-03-02T11:00", 4, "2026-03-03T03:00"),  # 18:00: two hours today, two tomorrow
        ("2026-03-01T17:30", 4, "2026-03-02T05:00"),  # 00:30, before the desk opens at 8
        ("2026-03-02T15:00", 1, "2026-03-03T02:00"),  # 22:00, after it closed at 20
        ("2026-03-02T03:00", 25, "2026-03-04T04:00"),  # ten today, twelve tomorrow, three then
    ],
)
def test_working_hours_are_counted_from_8_to_20_in_jakarta(opened, hours, due):
    found = working_hours_later(np.array([opened], "datetime64[s]"), np.array([float(hours)]))
    assert found[0] == np.datetime64(due)


def test_a_slow_episode_is_a_ticket_opened_and_solved_at_its_moments():
    _, tables = made()
    slow = tables["tickets"][tables["tickets"]["true_slow"]]
    truth = tables["true_service"]
    keys = ["person", "opened_at", "solved_at", "order"]
    assert sorted(slow[keys].itertuples(index=False, name=None)) == sorted(
        truth[keys].itertuples(index=False, name=None)
    )
    usual = tables["tickets"][~tables["tickets"]["true_slow"]]
    for group, least, most in ((slow, 3, 99), (usual, 0, 3)):
        days = (group["solved_at"] - group["opened_at"]).dt.total_seconds() / 86_400
        assert least < days.mean() < most


def test_replies_and_solutions_follow_in_time_and_promises_are_judged_by_the_reply():
    _, tables = made()
    tickets, promises = tables["tickets"], tables["sla_promises"]
    there = tickets["solved_at"].notna()
    assert (tickets["opened_at"] <= tickets["first_reply_at"])[
        tickets["first_reply_at"].notna()
    ].all()
    assert (tickets["first_reply_at"] <= tickets["solved_at"])[there].all()
    assert (promises["ticket"] == tickets["ticket"]).all()
    in_time = promises["actual_at"] <= promises["promised_by"]
    known = promises["kept"] >= 0
    assert (in_time[known] == (promises["kept"][known] == 1)).all()
    assert (promises.loc[~known, "promised_by"] >= EXPORTED).all()
    assert 0.6 < promises["kept"][known].mean() < 0.95


def test_a_ticket_has_one_to_four_contacts_and_only_later_ones_repeat():
    _, tables = made()
    contacts = tables["contacts"]
    assert contacts.groupby("ticket").size().between(1, 4).all()
    first = ~contacts["ticket"].duplicated()
    assert not contacts.loc[first, "had_to_repeat"].any()
    assert contacts.loc[~first, "had_to_repeat"].mean() > 0.2
    helped = contacts["recognised"] & contacts["history_available"]
    assert not (contacts["had_to_repeat"] & helped).any()
    assert (contacts[["wait_s", "handle_s"]] >= 0).all(axis=None)
    share = contacts.groupby("ticket").size().reindex(tables["tickets"]["ticket"]).notna().mean()
    assert share > 0.999  # the few opened in the last moments


def test_late_parcels_bring_tickets_about_delivery():
    _, tables = made()
    tickets = tables["tickets"]
    about = tickets[(tickets["topic"] == "delivery") & ~tickets["true_slow"]]
    late = tables["deliveries"].set_index("order")["is_late"]
    assert late.loc[about["order"]].all()
    assert len(about) / late.sum() == pytest.approx(0.22, abs=0.03)  # 4 SE


def test_referrals_reward_the_first_order_of_whoever_was_recommended():
    _, tables = made()
    referrals, people = tables["referrals"], tables["people"].set_index("person")
    assert len(referrals) == (people["referred_by"] >= 0).sum()
    assert (
        people.loc[referrals["referred"], "referred_by"].to_numpy() == referrals["referrer"]
    ).all()
    assert (
        referrals["referred_at"].to_numpy()
        >= people.loc[referrals["referrer"], "first_seen_at"].to_numpy()
    ).all()
    paid = referrals[referrals["order"] >= 0]
    orders = tables["orders"].set_index("order").loc[paid["order"]]
    assert (orders["person"].to_numpy() == paid["referred"]).all()
    assert (orders["true_purchase"] == 0).all()
    assert (paid["reward_amount"] > 0).all()


def test_margins_count_everybody_once_per_variable():
    world, tables = made()
    counts = tables["margin_counts"]
    assert (counts.groupby("variable")["count"].sum() == 5_000).all()
    region = counts[counts["variable"] == "region"].set_index("level")["count"] / 5_000
    noise = np.sqrt(REGION_SHARES * (1 - REGION_SHARES) / 5_000)
    assert (np.abs(region.reindex(REGIONS).to_numpy() - REGION_SHARES) < 4.5 * noise).all()
    born = tables["people"]["birth_year"]
    bands = counts[counts["variable"] == "birth band"].set_index("level")["count"]
    assert bands["1980s"] == born.between(1980, 1989).sum()
    assert bands["2000 and later"] == (born >= 2000).sum()
    assert world.company.shares.sum() == pytest.approx(1)


def test_what_the_company_does_as_a_whole_grows_with_its_customers():
    world, _ = made()
    for make, column in ((simulate_shifts, "required_min"), (simulate_costs, "amount"),
                         (simulate_campaigns, "cost_amount")):  # fmt: skip
        small, large = make(world, 10_000), make(world, 40_000)
        pd.testing.assert_frame_equal(make(world, 10_000), small)
        assert large[column].sum() / small[column].sum() == pytest.approx(4, rel=0.2)
        assert len(large) == len(small)
    assert {"campaigns", "shifts", "costs"} <= set(simulate_world(world, 1_000))


def test_campaigns_and_shifts_lie_within_the_log():
    world, _ = made()
    campaigns = simulate_campaigns(world, 1_000)
    assert (campaigns["starts_on"] < campaigns["ends_on"]).all()
    assert campaigns["starts_on"].min() >= pd.Timestamp("2023-10-01")
    assert campaigns["ends_on"].max() <= pd.Timestamp("2026-09-30")
    assert campaigns["name"].is_unique
    shifts = simulate_shifts(world, 1_000)
    assert not shifts.duplicated(["team", "interval_start_at"]).any()
    local = (shifts["interval_start_at"] + pd.Timedelta(hours=7)).dt.hour
    assert local.between(8, 19).all()
    assert (shifts["skilled_min"] <= shifts["present_min"]).all()
