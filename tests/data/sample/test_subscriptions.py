"""Subscriptions end by the hazards that the truth says, entries and all."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.sample.changes import simulate_changes, simulate_usage
from cxlab.data.sample.company import EXPORTED_AT, LOG_STARTS, company
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.simulate import STEPS
from cxlab.data.sample.subscriptions import simulate_endings
from cxlab.data.sample.world import World

UNTIL = STEPS[: STEPS.index(simulate_endings) + 1]
MONTH = 30.4375 * 86_400
DAY = np.timedelta64(1, "D")
EXPORTED = np.datetime64(EXPORTED_AT, "s")


def made(variant="base", count=20_000, seed=5):
    world = World(company(variant), seed)
    tables = {"people": simulate_people(world, 0, count)}
    for step in (*UNTIL, simulate_changes, simulate_usage):
        tables |= step(world, tables)
    return world, tables


@pytest.fixture(scope="module")
def base():
    return made()


def held(tables):
    """Subscriptions with the person's segment, entry and exit in months of age."""
    subs = tables["subscriptions"].merge(tables["people"], on="person")
    exit_at = subs["ended_at"].fillna(pd.Timestamp(EXPORTED))
    subs["left"] = (exit_at - subs["started_at"]).dt.total_seconds() / MONTH
    entry_at = subs["started_at"].clip(lower=pd.Timestamp(LOG_STARTS))
    subs["entry"] = (entry_at - subs["started_at"]).dt.total_seconds() / MONTH
    return subs


def test_without_causes_ends_follow_the_weibull_hazard_in_every_span_of_age():
    world, tables = made("null")
    subs = held(tables)
    for segment in world.company.segments:
        here = subs[subs["segment"] == segment.name]
        for low, high in ((0, 2), (2, 6), (6, 12), (12, 24), (24, 70)):
            at_risk = [
                (here[c].clip(low, high) / segment.scale) ** segment.shape
                for c in ("left", "entry")
            ]
            expected = (at_risk[0] - at_risk[1]).sum()
            own = here[here["end_kind"] == "voluntary"]["left"]
            # Counts less their compensator: a martingale whose variance is `expected`.
            assert abs(own.between(low, high, inclusive="left").sum() - expected) < 4 * max(
                1, np.sqrt(expected)
            )


def test_payments_fail_for_good_at_a_constant_hazard(base):
    world, tables = base
    subs = held(tables)
    for segment in world.company.segments:
        here = subs[subs["segment"] == segment.name]
        expected = segment.involuntary * (here["left"] - here["entry"]).sum()
        failed = (here["end_kind"] == "involuntary").sum()
        assert abs(failed - expected) < 4 * np.sqrt(expected)


def scores(world, tables):
    """Add up covariate times (end less its compensator), day by day, and the variances.

    At the truth these scores are martingales with mean 0. The covariates are counted
    here subscription by subscription, apart from the generator's arrays.
    """
    truth = world.company
    late = tables["deliveries"].query("true_is_late").groupby("person")["true_late_at"]
    slow = tables["true_service"].groupby("person")["solved_at"]
    short = tables["stock_events"].query("kind == 'stockout_after_order'")
    short = short.groupby("person")["occurred_at"]
    moments = [{k: np.sort(v.to_numpy()) for k, v in g} for g in (late, slow, short)]
    rises = {p.name: [np.datetime64(d, "s") - np.timedelta64(7, "h") for d in p.rises_on]
             for p in truth.commerce.plans}  # fmt: skip
    reminder = truth.initiative("hazard")
    segments = {s.name: s for s in truth.segments}
    beta = np.array([*truth.hazard.values(), reminder[1].effect if reminder else 0.0])
    days = np.arange(world.start, EXPORTED, DAY)
    total, variance = np.zeros(6), np.zeros(6)
    for sub in held(tables).itertuples():
        start = np.datetime64(sub.started_at, "s")
        end = EXPORTED if pd.isna(sub.ended_at) else np.datetime64(sub.ended_at, "s")
        here = days[(days + DAY > start) & (days < end)]
        x = np.zeros((6, len(here)))
        for cause, when in enumerate(moments):
            at = when.get(sub.person)
            if at is not None:
                x[cause] = np.searchsorted(at, here) - np.searchsorted(at, here - 90 * DAY)
        for rise in rises[sub.plan]:
            x[3] += (rise <= here) & (here < rise + 60 * DAY) & (start < rise)
        x[4] = sub.attachment
        if reminder:
            begins = world.quarter_starts[reminder[1].starts_quarter]
            x[5] = (here >= begins) & (getattr(sub, f"arm_{reminder[0]}") == 1)
        age = (here - start).astype(float) / MONTH
        turn = np.where(age >= 6, truth.hazard_turn, 1.0)
        log = beta @ x + (turn - 1) * beta[0] * x[0]
        edges = np.clip(np.append(here, end), start, end) - start
        segment = segments[sub.segment]
        base = (edges.astype(float) / MONTH / segment.scale) ** segment.shape
        hazard = np.exp(log) * np.diff(base)
        event = np.zeros(len(here))
        event[-1] = sub.end_kind == "voluntary"
        total += x @ (event - hazard)
        variance += x**2 @ hazard
    return total, variance


@pytest.mark.parametrize("variant", ["base", "misspecified"])
def test_each_cause_acts_on_the_hazard_as_strongly_as_the_truth_says(variant):
    total, variance = scores(*made(variant, count=10_000))
    assert (variance > 20).all()  # enough to see a coefficient of a third of the smallest
    assert (abs(total) < 4 * np.sqrt(variance)).all()


def test_a_wrong_coefficient_would_be_seen():
    world, tables = made(count=10_000)
    truth = world.company.hazard
    for place, cause in enumerate(truth):
        without = World(company("base"), world.seed)
        without.company.hazard[cause] = 0.0
        total, variance = scores(without, tables)
        assert abs(total[place]) > 2.576 * np.sqrt(variance[place])  # 1 % level


def test_entry_is_delayed_and_nobody_who_left_before_the_log_is_in_it(base):
    _, tables = base
    subs = tables["subscriptions"]
    before = subs["started_at"] < LOG_STARTS
    assert 0.1 < before.mean() < 0.5
    assert subs["started_at"].min() < pd.Timestamp(LOG_STARTS) - pd.Timedelta(days=600)
    assert (subs["ended_at"].dropna() >= LOG_STARTS).all()
    assert (subs["ended_at"].dropna() < EXPORTED_AT).all()
    assert (subs["ended_at"].isna() == subs["end_kind"].isna()).all()
    seen = tables["people"].set_index("person")["first_seen_at"]
    assert (subs["started_at"].to_numpy() >= seen[subs["person"]].to_numpy()).all()


def test_as_many_subscribe_as_their_segment_says(base):
    world, tables = base
    takes = tables["true_people"]["true_subscribes"]
    for segment in world.company.segments:
        here = takes[tables["people"]["segment"] == segment.name]
        sd = np.sqrt(segment.subscribes * (1 - segment.subscribes) / len(here))
        assert abs(here.mean() - segment.subscribes) < 4 * sd


def test_amounts_change_from_one_to_the_next(base):
    _, tables = base
    changes, subs = tables["subscription_changes"], tables["subscriptions"]
    first = changes.drop_duplicates("subscription").set_index("subscription")
    start = subs.set_index("subscription")["monthly_amount"]
    assert (first["monthly_amount_before"] == start[first.index]).all()
    previous = changes.groupby("subscription")["monthly_amount_after"].shift()
    later = previous.notna()
    assert (changes["monthly_amount_before"][later] == previous[later]).all()
    last = changes.drop_duplicates("subscription", keep="last").set_index("subscription")
    now = subs.set_index("subscription")["current_amount"]
    assert (last["monthly_amount_after"] == now[last.index]).all()
    rise = changes[changes["kind"] == "price_rise"]
    assert np.allclose(
        rise["monthly_amount_after"] / rise["monthly_amount_before"], 1.08, atol=2e-3
    )
    assert not changes.duplicated(["subscription", "changed_at"]).any()
    run = changes.merge(subs, on="subscription")
    assert (run["changed_at"] >= run["started_at"]).all()
    assert not (run["changed_at"] > run["ended_at"]).any()


def test_usage_is_written_for_whole_months_only(base):
    _, tables = base
    use = tables["usage"].merge(tables["subscriptions"], on="subscription")
    month_ends = use["period_on"] + pd.offsets.MonthBegin(1) - pd.Timedelta(hours=7)
    assert (use["started_at"] < use["period_on"] - pd.Timedelta(hours=7)).all()
    assert not (use["ended_at"] < month_ends).any()
    assert not use.duplicated(["subscription", "period_on"]).any()
    # Bags are Poisson with mean 0.9 of what is included.
    ratio = use["units"].sum() / use["included_units"].sum()
    assert ratio == pytest.approx(0.9, abs=4 * np.sqrt(0.9 / use["included_units"].sum()))


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_few_or_no_subscribers_are_no_problem(count):
    for seed in range(5):
        _, tables = made("tiny", count=count, seed=seed)
        assert tables["subscriptions"]["subscription"].is_unique
