"""Which journey led to which purchase, and the journeys that led to nothing.

A share `company.habit` of the orders comes out of habit, without a journey. Those that
have one are chosen such that the places of purchase are shared as the chain says. To
`n` journeys with a purchase belong a negative binomial number of journeys without one,
so that all journeys together follow the chain. A journey follows the chain of the
quarter in which it ends.

Journeys can be told apart: within a journey no pause is longer than five days; a
purchase ends one; and a journey without a purchase is followed by nothing of the same
person for 30 days. Where that would not hold, an unknown visitor made it.

Notes
-----
journeys : `journey`, `person` (-1 for an unknown visitor), `visitor` (number of the
    unknown visitor, or -1), `order` (or -1), `quarter`, `ends_at`.
touches : `touch` (number of the session), `journey`, `person`, `visitor`, `order` (only
    at the touch where the order was placed, else -1), `step` (from 0), `touchpoint`,
    `channel`, `at` (start of the session).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.company import QUARTERS
from cxlab.data.sample.journeys import NOTHING, Chain, chain, channel_shares, walk
from cxlab.data.sample.people import coded
from cxlab.data.sample.placement import journey_ends, makers, touch_moments
from cxlab.data.sample.touchpoints import CHANNELS, TOUCHPOINTS
from cxlab.data.sample.world import World, chance

__all__ = ["ALL_CHANNELS", "NUMBERS", "simulate_journeys"]

NUMBERS = 1_000  # rows of a kind that a person may have: numbers of parts never meet
ALL_CHANNELS = tuple(c for channels in CHANNELS.values() for c in channels)
_MINUTES_APART = 10
_FIRST_CHANNEL = np.array([ALL_CHANNELS.index(CHANNELS[t][0]) for t in TOUCHPOINTS])


def simulate_journeys(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the journeys of one part: those of its orders, and those that led to nothing."""
    people, orders = tables["people"], tables["orders"]
    first = int(people["person"].iloc[0])
    rng = chance(world.seed, "journeys", first)
    chains = [chain(world.company, quarter) for quarter in range(QUARTERS)]
    bought, ending = _with_purchase(rng, world, chains, orders)
    nothing = _without_purchase(rng, chains, bought)
    journeys = pd.concat([bought, nothing], ignore_index=True)
    ending = np.concatenate([ending, np.full(len(nothing), NOTHING)])
    quarter = journeys["quarter"].to_numpy()
    given = np.stack([c.given_endings() for c in chains])
    journey, touchpoint = walk(rng, given, quarter, ending)
    ends, room = journey_ends(rng, world, orders, journeys)
    at = touch_moments(rng, journey, ends, room)
    begins = at[np.searchsorted(journey, np.arange(len(journeys)))]
    journeys["person"] = makers(rng, world, people, orders, journeys, begins, ends)
    journeys.insert(0, "journey", first * NUMBERS + np.arange(len(journeys)))
    unknown = journeys["person"].to_numpy() < 0
    journeys["visitor"] = np.where(unknown, journeys["journey"], -1)
    journeys["ends_at"] = world.start + ends.astype("timedelta64[s]")
    touches = _touches(rng, world, orders, journeys, journey, touchpoint)
    touches["at"] = world.start + at.astype("timedelta64[s]")
    touches.insert(0, "touch", first * NUMBERS + np.arange(len(touches)))
    columns = ["journey", "person", "visitor", "order", "quarter", "ends_at"]
    return {"journeys": journeys[columns], "touches": touches}


def _with_purchase(
    rng: np.random.Generator, world: World, chains: list[Chain], orders: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Choose the orders that a journey led to, and the touchpoint where each was placed."""
    quarter = world.quarter(orders["placed_at"].to_numpy())
    names = list(orders["channel"].cat.categories)
    channel = orders["channel"].cat.codes.to_numpy()
    keep = np.zeros(len(orders))
    shop = np.zeros(len(orders))  # share of the orders in shops that are placed in a shop
    at = {name: place for place, name in enumerate(TOUCHPOINTS)}
    for q in range(QUARTERS):
        share = chains[q].ending_shares()
        web = channel_shares(world.company, q)["web shop"]
        store = share[at["shop visit"]] + share[at["tasting event"]]
        wanted = {
            "web": share[at["web shop"]] * web[0],
            "app": share[at["web shop"]] * web[1],
            "marketplace": share[at["marketplace page"]],
            "store": store,
        }
        now = (quarter == q) & ~_hasty(orders)
        target = (1 - world.company.habit) * now.sum()
        for name, part in wanted.items():
            rows = now & (channel == names.index(name))
            keep[rows] = target * part / max(rows.sum(), 1)
        shop[now] = share[at["shop visit"]] / store
    chosen = rng.random(len(orders)) < keep
    places = {"web": "web shop", "app": "web shop", "marketplace": "marketplace page"}
    ending = np.array([at[places.get(name, "shop visit")] for name in names])[channel]
    in_store = channel == names.index("store")
    ending[in_store & (rng.random(len(orders)) >= shop)] = at["tasting event"]
    rows = orders.loc[chosen, ["person", "order"]].reset_index(drop=True)
    return rows.assign(quarter=quarter[chosen]), ending[chosen]


def _hasty(orders: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which orders follow another of the person within minutes: no journey fits between."""
    person, placed = orders["person"].to_numpy(), orders["placed_at"].to_numpy()
    soon = (np.diff(person) == 0) & (np.diff(placed) < np.timedelta64(_MINUTES_APART, "m"))
    return np.append(False, soon)[: len(orders)]


def _without_purchase(
    rng: np.random.Generator, chains: list[Chain], bought: pd.DataFrame
) -> pd.DataFrame:
    """Make as many journeys that lead to nothing as belong to those that led to a purchase."""
    purchases = np.bincount(bought["quarter"], minlength=QUARTERS)
    rate = np.array([c.conversion() for c in chains])
    counts = np.where(purchases > 0, rng.negative_binomial(np.maximum(purchases, 1), rate), 0)
    quarter = np.repeat(np.arange(QUARTERS), counts)
    return pd.DataFrame({"person": -1, "order": -1, "quarter": quarter})


def _touches(
    rng: np.random.Generator,
    world: World,
    orders: pd.DataFrame,
    journeys: pd.DataFrame,
    journey: NDArray[np.intp],
    touchpoint: NDArray[np.intp],
) -> pd.DataFrame:
    """Write one row per touch, with the channel through which it was reached."""
    quarter = journeys["quarter"].to_numpy()[journey]
    second = np.zeros((QUARTERS, len(TOUCHPOINTS)))  # share of the second channel
    for q in range(QUARTERS):
        shares = channel_shares(world.company, q)
        second[q] = [shares[t][1] if len(shares[t]) > 1 else 0.0 for t in TOUCHPOINTS]
    channel = _FIRST_CHANNEL[touchpoint] + (rng.random(len(journey)) < second[quarter, touchpoint])
    is_last = np.append(np.diff(journey) > 0, True)[: len(journey)]
    order = np.where(is_last, journeys["order"].to_numpy()[journey], -1)
    # The web shop's last channel is the one in which the order stands.
    placed = np.flatnonzero((order >= 0) & (touchpoint == TOUCHPOINTS.index("web shop")))
    row = pd.Index(orders["order"]).get_indexer(order[placed])
    by_app = (orders["channel"] == "app").to_numpy()[row]
    channel[placed] = _FIRST_CHANNEL[touchpoint[placed]] + by_app
    new = np.append(True, np.diff(journey) > 0)[: len(journey)]
    step = np.arange(len(journey)) - np.flatnonzero(new)[np.cumsum(new) - 1]
    return pd.DataFrame(
        {
            "journey": journeys["journey"].to_numpy()[journey],
            "person": journeys["person"].to_numpy()[journey],
            "visitor": journeys["visitor"].to_numpy()[journey],
            "order": order,
            "step": step.astype(np.int16),
            "touchpoint": coded(touchpoint, TOUCHPOINTS),
            "channel": coded(channel, ALL_CHANNELS),
        }
    )
