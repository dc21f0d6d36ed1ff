"""Who takes beans by the month, from when, how long, and why they leave.

`subscriptions`, a row per subscription that ran at some time of the log (entry is
delayed: who started up to two years before is here only if still running then):
`subscription`, `person`, `plan`, `started_at`, `ended_at` (UTC, missing while running),
`end_kind` {voluntary, involuntary, or missing}, `end_reason`, `monthly_amount` (at its
start), `current_amount` (at its end or the export; see `changes`). `true_people` gets
`true_subscribes`: whether they would ever take one, `subscribes` of the latent segment.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, MONTH, as_seen, later, moment_of
from cxlab.data.sample.hazards import Subscribers, own_end
from cxlab.data.sample.people import coded, pick
from cxlab.data.sample.purchases import of_segment
from cxlab.data.sample.world import World, chance

__all__ = ["ENDS", "simulate_endings", "simulate_subscribers"]

ENDS = ("voluntary", "involuntary")
END_REASONS = (
    "too expensive", "too much coffee", "moved", "quality", "delivery", "service",
    "payment failed", "other",
)  # fmt: skip


def simulate_subscribers(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Draw who subscribes, when and to what; `subscriptions` are not yet ended."""
    people = tables["people"]
    rng = chance(world.seed, "subscribe", int(people["person"].iloc[0]))
    truth = world.company.commerce
    takes = rng.random(len(people)) < of_segment(world, people, "subscribes")
    lag = rng.exponential(truth.subscription_lag_days * DAY, len(people))
    start = later(people["first_seen_at"].to_numpy(), lag)
    plan = pick(rng, [p.name for p in truth.plans], np.array(truth.plan_shares), len(people))
    started = pd.DataFrame(
        {
            "subscription": people["person"].to_numpy(),
            "person": people["person"].to_numpy(),
            "plan": plan,
            "started_at": start,
        }
    )
    started["monthly_amount"] = _amount_at(world, plan.codes, start)
    return {
        "subscriptions": started[takes & (start < EXPORTED)].reset_index(drop=True),
        "true_people": tables["true_people"].assign(true_subscribes=takes),
    }


def _amount_at(
    world: World, plan: NDArray[np.integer], moment: NDArray[np.datetime64]
) -> NDArray[np.int64]:
    """Return the price of a plan at a moment, in rupiah a month."""
    amount = np.zeros(len(plan), dtype=np.int64)
    for code, one in enumerate(world.company.commerce.plans):
        rises = np.sort(moment_of(np.array(one.rises_on, dtype="datetime64[D]")))
        levels = [one.monthly_amount]
        for _ in rises:
            levels.append(_dearer(levels[-1], world.company.commerce.price_rise))
        many = np.searchsorted(rises, moment, side="right")
        amount = np.where(plan == code, np.array(levels)[many], amount)
    return amount


def _dearer(amount: int, factor: float) -> int:
    """Change a price, to whole hundreds of rupiah."""
    return round(amount * factor / 100) * 100


def simulate_endings(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """End `subscriptions`: by the customer, or by a payment that fails for good."""
    people, started = tables["people"], tables["subscriptions"]
    first = int(people["person"].iloc[0])
    rng = chance(world.seed, "leave", first)
    who = people.iloc[started["person"].to_numpy() - first]
    start = started["started_at"].to_numpy()
    subscribers = Subscribers(
        people=who,
        started_at=start,
        plan=started["plan"].cat.codes.to_numpy(),
        shape=of_segment(world, who, "shape"),
        scale=of_segment(world, who, "scale"),
    )
    own = own_end(world, subscribers, _causes(tables, started), rng.exponential(size=len(who)))
    failing = rng.exponential(size=len(who)) / of_segment(world, who, "involuntary")
    fails = later(start, np.floor(failing * MONTH))
    own = np.where(np.isnat(own), np.datetime64("9999-01-01", "s"), own)
    by_will = own < fails
    end = np.minimum(own, fails)
    kind = np.where(end >= EXPORTED, -1, np.where(by_will, 0, 1))
    shares = np.array([0.3, 0.2, 0.08, 0.12, 0.12, 0.08, 0.0, 0.1])
    reason = pick(rng, END_REASONS, shares, len(who)).codes
    reason = np.where(kind == 1, END_REASONS.index("payment failed"), reason)
    ended = started.assign(
        ended_at=as_seen(end),
        end_kind=coded(kind, ENDS),
        end_reason=coded(np.where(kind < 0, -1, reason), END_REASONS),
    )
    return {"subscriptions": ended[end >= world.start].reset_index(drop=True)}


def _causes(
    tables: dict[str, pd.DataFrame], started: pd.DataFrame
) -> dict[str, tuple[NDArray[np.integer], NDArray[np.datetime64]]]:
    """Find what happened to subscribers: the row of the subscription, and when."""
    late = tables["deliveries"]
    late = late[late["true_is_late"].to_numpy()]
    short = tables["stock_events"]
    short = short[(short["kind"] == "stockout_after_order").to_numpy()]
    slow = tables["true_service"]
    happened = {
        "late_deliveries": (late["person"], late["true_late_at"]),
        "slow_resolution": (slow["person"], slow["solved_at"]),
        "stock_outs": (short["person"], short["occurred_at"]),
    }
    holders = started["person"].to_numpy()  # in order of their numbers
    found = {}
    for cause, (person, moment) in happened.items():
        row = np.searchsorted(holders, person.to_numpy())
        inside = np.minimum(row, max(len(holders) - 1, 0))
        holds = holders[inside] == person.to_numpy() if len(holders) else row < 0
        found[cause] = (row[holds], moment.to_numpy()[holds])
    return found
