"""The loyalty programme: who joins, earns, redeems, lets points expire, and rises.

`loyalty`, a row per entry by person and moment: `entry`, `person`, `booked_at` (UTC),
`kind` {join, earn, redeem, expire, tier}, `points` (below 0 when taken away; 0 for join
and tier), `tier` {basic, silver, gold, or missing}, `order` (or -1). Ten thousand rupiah
earn a point, or two with double points. Who redeems takes all points; what is left a
year after the last order of the log expires.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, later, running
from cxlab.data.sample.people import coded
from cxlab.data.sample.purchases import ORDERS_EACH, STATUSES
from cxlab.data.sample.stacking import stack
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_points"]

KINDS = ("join", "earn", "redeem", "expire", "tier")
TIERS = ("basic", "silver", "gold")
_FROM = np.array([0, 100, 400])  # points earned in all, by tier
_RUPIAH = 10_000  # of one point


def simulate_points(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `loyalty`. A member joins with the first purchase, or a few days later."""
    people, orders = tables["people"], tables["orders"]
    first = int(people["person"].iloc[0])
    rng = chance(world.seed, "points", first)
    truth = world.company.commerce
    member = rng.random(len(people)) < truth.loyal
    joins = later(
        people["first_seen_at"].to_numpy(),
        np.where(rng.random(len(people)) < 0.5, 0, rng.exponential(30 * DAY, len(people))),
    )
    buyer = orders["person"].to_numpy() - first
    placed = orders["placed_at"].to_numpy()
    counts = orders["status"].cat.codes.to_numpy() != STATUSES.index("cancelled")
    counts &= member[buyer] & (placed >= joins[buyer])
    buyer, placed = buyer[counts], placed[counts]
    number = orders["order"].to_numpy()[counts]
    points = orders["net_amount"].to_numpy()[counts] // _RUPIAH
    points = np.where(_doubled(world, people.iloc[buyer], placed), 2 * points, points)
    earned = _within(buyer, points)
    takes = rng.random(len(buyer)) < truth.redeems
    balance = _balances(buyer, earned, takes)
    tier = np.searchsorted(_FROM, earned, side="right") - 1
    before = np.searchsorted(_FROM, earned - points, side="right") - 1
    last = np.ones(len(buyer), dtype=bool)
    last[:-1] = buyer[1:] != buyer[:-1]
    left = np.where(takes, 0, balance)
    gone = later(placed, np.full(len(buyer), 365 * DAY))
    joined = np.flatnonzero(member & (joins >= world.start) & (joins < EXPORTED))
    taken, rises = takes & (balance > 0), tier > before
    expires = last & (left > 0) & (gone < EXPORTED)
    sets = [
        _entries(joined, joins[joined], 0, 0 * joined, 0 * joined, -1),
        _entries(buyer, placed, 1, points, -1, number),
        _entries(buyer[taken], placed[taken], 2,
                 -balance[taken], -1, number[taken]),
        _entries(buyer[expires], gone[expires], 3, -left[expires], -1, -1),
        _entries(buyer[rises], later(placed[rises], np.full(rises.sum(), 1)), 4,
                 0, tier[rises], number[rises]),
    ]  # fmt: skip
    loyalty = stack(sets).sort_values(
        ["person", "booked_at", "kind"], kind="stable", ignore_index=True
    )
    owner = loyalty["person"].to_numpy()
    loyalty["person"] = owner + first
    loyalty.insert(0, "entry", (owner + first) * ORDERS_EACH + running(owner))
    loyalty["kind"] = coded(loyalty["kind"].to_numpy(), KINDS)
    loyalty["tier"] = coded(loyalty["tier"].to_numpy(), TIERS)
    return {"loyalty": loyalty[loyalty["booked_at"].to_numpy() < EXPORTED].reset_index(drop=True)}


def _doubled(
    world: World, buyer: pd.DataFrame, placed: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Tell which orders earn double points: those of the initiative of that name."""
    names = [i.name for i in world.company.initiatives]
    return world.treated(names.index("double points"), buyer, placed)


def _within(owner: NDArray[np.integer], amount: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add up within each owner, row by row."""
    total = np.cumsum(amount)
    start = np.arange(len(owner)) - running(owner)
    return np.asarray(total - (total - amount)[start]) if len(owner) else amount


def _balances(
    owner: NDArray[np.integer], earned: NDArray[np.int64], takes: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the points at hand at each order, before any are taken at it."""
    if not len(owner):
        return earned
    turn = running(owner)
    start = np.arange(len(owner)) - turn
    taken = np.maximum.accumulate(np.where(takes, np.arange(len(owner)), -1))
    previous = np.concatenate([[-1], taken[:-1]])  # the last order at which all were taken
    return earned - np.where(previous >= start, earned[np.maximum(previous, 0)], 0)


def _entries(
    owner: NDArray[np.integer],
    booked: NDArray[np.datetime64],
    kind: int,
    points: NDArray[np.int64] | int,
    tier: NDArray[np.int64] | int,
    order: NDArray[np.int64] | int,
) -> pd.DataFrame:
    """Write the entries of one kind."""
    return pd.DataFrame(
        {
            "person": owner,
            "booked_at": booked,
            "kind": np.full(len(owner), kind),
            "points": np.broadcast_to(points, len(owner)),
            "tier": np.broadcast_to(tier, len(owner)),
            "order": np.broadcast_to(order, len(owner)),
        }
    )
