"""When they buy, where, and for how much: BG/NBD, gamma-gamma, and what is no purchase.

`true_people`, a row per person: `person`, `true_rate` (purchases a week), `true_dropout`
(chance to leave after each repeat purchase), `true_last` (number of the repeat purchase
after which they leave), `true_alive_until` (UTC; missing where they are alive at the
export), `true_spend` (mean of an order, rupiah).

`orders`, a row per order in the log, by person and moment: `order`, `person`,
`placed_at`, `channel` {store, web, app, marketplace}, `store` (two per region; -1 where
none), `status` {placed, paid, fulfilled, cancelled, returned}, `net_amount` (before
refunds: the sum of its lines, without those that ran out of stock), `refund_amount`,
`discount_amount`, `shipping_amount`, `quote` (a number, or -1), `true_purchase` (0 is
the first of the customer's life, -1 a cancelled order: no purchase).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr

from cxlab.data.sample.clock import (
    DAY,
    EXPORTED,
    WEEK,
    Moments,
    day_of,
    later,
    moment_of,
    running,
    seconds_between,
)
from cxlab.data.sample.company import QUARTERS, REGIONS
from cxlab.data.sample.people import coded
from cxlab.data.sample.world import World, chance

__all__ = ["CHANNELS", "ORDERS_EACH", "STATUSES", "of_segment", "simulate_orders"]

CHANNELS = ("store", "web", "app", "marketplace")
STATUSES = ("placed", "paid", "fulfilled", "cancelled", "returned")
ORDERS_EACH = 10_000  # an order's number is its person's times this, plus its place
_STORES = 2  # per region
_FREE_SHIPPING = 300_000


def of_segment(world: World, people: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return one number of each person's latent segment."""
    values = np.array([getattr(s, name) for s in world.company.segments], dtype=float)
    return np.asarray(values[people["segment"].cat.codes.to_numpy()])


def simulate_orders(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `true_people` and `orders`."""
    people = tables["people"]
    person = people["person"].to_numpy()
    rng = chance(world.seed, "orders", int(person[0]))
    truth, spread = _propensities(world, people, rng)
    owner, number, placed = _purchases(people, truth, rng)
    placed = _by_the_hour(world, placed, people["first_seen_at"].to_numpy()[owner])
    truth["true_alive_until"] = _alive_until(truth, owner, number, placed)
    logged = (placed >= world.start) & (placed < EXPORTED)
    owner, number, placed = owner[logged], number[logged], placed[logged]

    again = np.flatnonzero(rng.random(len(owner)) < world.company.commerce.cancelled)
    extra = later(placed[again], rng.exponential(2 * DAY, len(again)))
    again, extra = again[extra < EXPORTED], extra[extra < EXPORTED]
    owner = np.concatenate([owner, owner[again]])
    number = np.concatenate([number, np.full(len(again), -1)])
    placed = np.concatenate([placed, extra])
    order = np.lexsort((placed, owner))
    owner, number, placed = owner[order], number[order], placed[order]

    shape = of_segment(world, people, "p")[owner]
    spend = rng.standard_gamma(shape) / shape * spread[owner]
    truth["true_spend"] = spread
    orders = pd.DataFrame(
        {
            "order": person[owner] * ORDERS_EACH + running(owner),
            "person": person[owner],
            "placed_at": placed,
        }
    )
    orders["channel"] = coded(_channels(world, owner, placed, len(people), rng), CHANNELS)
    terms = _terms(world, people.iloc[owner], orders, spend, number, rng)
    return {"true_people": truth, "orders": pd.concat([orders, terms], axis=1)}


def _propensities(
    world: World, people: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Draw each person's rate and chance to leave, and the mean of their orders in rupiah."""
    size = len(people)
    r, alpha, a, b, p, q, gamma = (
        of_segment(world, people, name) for name in ("r", "alpha", "a", "b", "p", "q", "gamma")
    )
    tie = world.company.spend_with_rate
    if tie:
        # A normal copula: margins stay gamma, their normal scores correlate by `tie`.
        one, other = rng.standard_normal((2, size))
        rate = gammaincinv(r, ndtr(one)) / alpha
        small = gammaincinv(q, ndtr(-(tie * one + np.sqrt(1 - tie**2) * other))) / gamma
    else:
        rate = rng.standard_gamma(r) / alpha
        small = rng.standard_gamma(q) / gamma
    dropout = np.maximum(rng.beta(a, b), 1e-9)  # geometric needs a chance above 0
    truth = pd.DataFrame(
        {
            "person": people["person"].to_numpy(),
            "true_rate": rate,
            "true_dropout": dropout,
            "true_last": rng.geometric(dropout),
        }
    )
    return truth, 1_000 * p / small


def _purchases(
    people: pd.DataFrame, truth: pd.DataFrame, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], Moments]:
    """Draw all purchases of a life up to the export: owner, number and moment.

    Given their number, the moments of a Poisson process are uniform; the customer
    leaves after repeat purchase `true_last`, so later ones never happen.
    """
    begin = people["first_seen_at"].to_numpy()
    span = seconds_between(begin, EXPORTED)
    many = rng.poisson(truth["true_rate"].to_numpy() * span / WEEK)
    owner = np.repeat(np.arange(len(people)), many)
    place = np.sort(owner + rng.random(len(owner)))  # sorts within each owner
    number = running(owner) + 1
    moment = later(begin[owner], np.floor((place - owner) * span[owner]))
    happens = number <= truth["true_last"].to_numpy()[owner]
    all_owners = np.concatenate([np.arange(len(people)), owner[happens]])
    numbers = np.concatenate([np.zeros(len(people), dtype=np.int64), number[happens]])
    moments = np.concatenate([begin, moment[happens]])
    order = np.lexsort((numbers, all_owners))
    return all_owners[order], numbers[order], moments[order]


def _alive_until(
    truth: pd.DataFrame, owner: NDArray[np.int64], number: NDArray[np.int64], placed: Moments
) -> Moments:
    """Return the moment of the purchase after which each left; missing for who has not."""
    until = np.full(len(truth), np.datetime64("NaT", "s"))
    last = number == truth["true_last"].to_numpy()[owner]
    until[owner[last]] = placed[last]
    return until


def _by_the_hour(world: World, placed: Moments, first: Moments) -> Moments:
    """Spread the repeat purchases of a day over its hours, in their order."""
    day = moment_of(day_of(placed))
    share = seconds_between(day, placed) / DAY
    shares = np.cumsum((0.0, *world.company.commerce.hours))
    hour = np.interp(share, shares / shares[-1], np.arange(25) / 24)
    # On the day of the first purchase the hours are what they are: nothing comes before it.
    return np.where(day <= first, placed, later(day, hour * DAY))


def _channels(
    world: World, owner: NDArray[np.int64], placed: Moments, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw a channel per order: the customer's own, or anew, by the shares of its quarter."""
    truth = world.company.commerce
    way = world.company.drift * np.arange(QUARTERS)[:, None] / (QUARTERS - 1)
    old = np.array([truth.channels[c] for c in CHANNELS])
    new = np.array([truth.channels_new[c] for c in CHANNELS])
    edges = np.cumsum((1 - way) * old + way * new, axis=1)
    own = rng.random(size)[owner]
    drawn = np.where(rng.random(len(owner)) < truth.same_channel, own, rng.random(len(owner)))
    codes = (drawn[:, None] >= edges[world.quarter(placed)]).sum(axis=1)
    return np.asarray(np.minimum(codes, len(CHANNELS) - 1))


def _terms(
    world: World,
    buyer: pd.DataFrame,
    orders: pd.DataFrame,
    spend: NDArray[np.float64],
    number: NDArray[np.int64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Set store, status, money and quote of each order."""
    truth = world.company.commerce
    size = len(orders)
    amount = np.maximum(1, np.rint(spend)).astype(np.int64)
    in_store = orders["channel"].cat.codes.to_numpy() == CHANNELS.index("store")
    region = buyer["region"].cat.codes.to_numpy().astype(np.int64)
    near = np.where(rng.random(size) < 0.8, orders["person"] % _STORES, rng.integers(0, 2, size))
    cut = np.where(rng.random(size) < truth.discounted, rng.uniform(0.05, 0.25, size), 0)
    fee = 9_000 + 1_000 * (region % 8) + np.where(region == len(REGIONS) - 1, 25_000, 0)
    free = in_store | (amount >= _FREE_SHIPPING)
    quoted = (
        (buyer["party"].cat.codes.to_numpy() == 1)
        & (rng.random(size) < truth.quoted)
        & (number >= 0)
    )
    status = np.where(number < 0, STATUSES.index("cancelled"), STATUSES.index("paid"))
    status[(number >= 0) & in_store] = STATUSES.index("fulfilled")
    terms = {
        "store": np.where(in_store, region * _STORES + near, -1),
        "status": coded(status, STATUSES),
        "net_amount": amount,
        "refund_amount": np.zeros(size, dtype=np.int64),
        "discount_amount": np.rint(amount * cut / 100).astype(np.int64) * 100,
        "shipping_amount": np.where(free, 0, fee),
        "quote": np.where(quoted, orders["order"], -1),
        "true_purchase": number,
    }
    return pd.DataFrame(terms)
