"""What is seen of customers agrees with what they did."""

from functools import cache

import numpy as np
import pandas as pd

from cxlab.data.sample.activities import PLACES
from cxlab.data.sample.clock import EXPORTED
from cxlab.data.sample.company import company
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.simulate import STEPS, simulate_part
from cxlab.data.sample.visits import simulate_interactions
from cxlab.data.sample.world import World


@cache
def made():
    world = World(company(), 3)
    tables = {"people": simulate_people(world, 0, 3_000)}
    for step in STEPS[: STEPS.index(simulate_interactions) + 1]:
        tables |= step(world, tables)
    return world, tables


def seen():
    return made()[1]["interactions"]


def test_customers_are_seen_some_forty_to_sixty_times():
    assert 40 < len(seen()) / 3_000 < 60
    assert seen()["interaction"].is_unique
    assert not (seen()["occurred_at"] >= EXPORTED).any()
    assert (seen()["occurred_at"] >= made()[0].start).all()


def test_each_touch_of_a_journey_is_one_session_at_its_touchpoint():
    rows = seen()[seen()["stage"].isin(["discover", "consider", "buy"]) & ~seen()["is_bot"]]
    sessions = rows.groupby("session").agg(
        journey=("true_journey", "first"),
        journeys=("true_journey", "nunique"),
        places=("touchpoint", "nunique"),
        place=("touchpoint", "first"),
    )
    touches = made()[1]["touches"].set_index("touch")
    assert (sessions[["journeys", "places"]] == 1).all(axis=None)
    assert sessions.index.sort_values().equals(touches.index)
    assert (sessions["journey"] == touches["journey"]).all()
    assert (sessions["place"].astype(str) == touches["touchpoint"].astype(str)).all()


def test_an_order_that_a_journey_led_to_is_seen_once_at_its_moment():
    placed = seen()[seen()["activity"] == "order placed"]
    orders = made()[1]["orders"].set_index("order")
    assert placed["object"].is_unique
    facts = orders.loc[placed["object"]]
    assert (placed["occurred_at"].to_numpy() == facts["placed_at"].to_numpy()).all()
    assert (placed["value_amount"].to_numpy() == facts["net_amount"].to_numpy()).all()
    assert (placed["person"].to_numpy() == facts["person"].to_numpy()).all()
    assert placed["is_known"].all()
    led_to = made()[1]["journeys"]["order"]
    assert set(placed["object"]) == set(led_to[led_to >= 0])
    assert 0.45 < len(placed) / len(orders) < 0.55  # the others come out of habit


def test_about_forty_percent_of_digital_sessions_of_customers_log_in():
    digital = ["search", "social post", "newsletter", "web shop", "marketplace page"]
    rows = seen()[seen()["touchpoint"].isin(digital) & (seen()["person"] >= 0)]
    rows = rows[rows["true_journey"] >= 0].drop_duplicates("session")
    assert 0.35 < rows["is_known"].mean() < 0.65
    assert (rows["device_no"] >= 0).all()


def test_visitors_are_nobodys_customers_and_make_one_journey_each():
    rows = seen()[(seen()["visitor"] >= 0) & ~seen()["is_bot"]]
    assert (rows["person"] == -1).all()
    assert not rows["is_known"].any()
    assert rows.groupby("visitor")["true_journey"].nunique().eq(1).all()


def test_rage_clicks_are_three_or_more_on_one_element_within_two_seconds():
    clicks = seen()[seen()["activity"] == "clicked"]
    hits = clicks.groupby(["session", "object"])["occurred_at"].agg(["size", "min", "max"])
    rage = hits[hits["size"] > 1]
    assert len(rage) > 50
    assert (rage["size"] >= 3).all()
    assert (rage["max"] - rage["min"] < pd.Timedelta("2s")).all()
    assert (hits["size"] == 1).sum() > 50  # dead clicks


def test_robots_read_a_page_a_second_and_are_marked():
    bots = seen()[seen()["is_bot"]]
    assert bots.groupby("session").size().between(20, 60).all()
    pace = bots.groupby("session")["occurred_at"].diff().dropna()
    assert (pace == pd.Timedelta("1s")).all()


def test_every_parcel_is_received_and_every_call_is_seen():
    _, tables = made()
    received = seen()[seen()["activity"] == "parcel received"]
    arrived = tables["deliveries"].dropna(subset="delivered_at")
    assert sorted(received["object"]) == sorted(arrived["order"])
    calls = seen()[seen()["touchpoint"] == "service desk"]
    assert len(calls) == len(tables["contacts"])
    left = seen()[seen()["activity"] == "newsletter unsubscribed"]
    assert len(left) == tables["messages"]["unsubscribed_at"].notna().sum()
    assert set(PLACES) == set(seen()["touchpoint"].cat.categories)


def test_each_click_on_a_newsletter_has_its_message():
    _, tables = made()
    touches, messages = tables["touches"], tables["messages"]
    clicks = touches[(touches["touchpoint"] == "newsletter") & (touches["person"] >= 0)]
    clicked = messages.dropna(subset="clicked_at")
    assert sorted(zip(clicks["person"], clicks["at"], strict=True)) == sorted(
        zip(clicked["person"], clicked["clicked_at"], strict=True)
    )
    assert (clicked["sent_at"] <= clicked["delivered_at"]).all()
    assert (clicked["opened_at"] <= clicked["clicked_at"]).all()
    left = messages.groupby("person")["unsubscribed_at"].min().dropna()
    later = messages[messages["person"].isin(left.index)]
    assert (later["sent_at"].to_numpy() <= left.loc[later["person"]].to_numpy()).all()


def test_the_same_seed_gives_the_same_rows_and_parts_share_no_number():
    world = World(company(), 3)
    one, again = (simulate_part(world, 40, 40) for _ in range(2))
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, again[name])
    other = simulate_part(world, 0, 40)
    for name, key in (("interactions", "interaction"), ("touches", "touch"), ("tickets", "ticket"),
                      ("contacts", "contact"), ("journeys", "journey"), ("comments", "comment"),
                      ("messages", "message"), ("invitations", "invitation"),
                      ("interactions", "session")):  # fmt: skip
        mine, theirs = one[name][key], other[name][key]
        assert not np.isin(mine[mine >= 0], theirs).any()
