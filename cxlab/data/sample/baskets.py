"""What is in each order, and what of it had run out.

`order_lines`, a row per line by order and line: `order`, `line_no` (from 1), `person`,
`product`, `category`, `quantity`, `net_amount`, `cost_amount`, `sale_type` {new, repeat,
cross_sell, upsell, bundle}, `stock_at_order` {in_stock, low, out}, `cancelled_at` (UTC,
or missing), `cancel_reason` {customer, out_of_stock, payment, other, or missing}. The
lines of an order that were not cancelled for want of stock add up to its `net_amount`.

`stock_events`, a row per event: `event`, `order`, `line_no`, `person`, `product`,
`occurred_at`, `kind` {stockout_after_order, backorder, substitute, arrive}. A line that
has run out is cancelled where the order has another line; else it is sent later, or
something like it is sent.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, later, running
from cxlab.data.sample.company import QUARTERS
from cxlab.data.sample.people import coded, pick
from cxlab.data.sample.purchases import STATUSES
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_baskets", "stock_out_share"]

SALES = ("new", "repeat", "cross_sell", "upsell", "bundle")
STOCK = ("in_stock", "low", "out")
CANCEL_REASONS = ("customer", "out_of_stock", "payment", "other")
EVENTS = ("stockout_after_order", "backorder", "substitute", "arrive")
_HOUR = 3_600


def stock_out_share(world: World) -> NDArray[np.float64]:
    """Return the chance that a line has run out after the order, by product and quarter."""
    truth = world.company.commerce
    size = (len(world.products), QUARTERS)
    mean = np.log(truth.stock_out / (1 - truth.stock_out))
    odds = chance(world.seed, "stock").normal(mean, truth.stock_out_sd, size)
    return np.asarray(1 / (1 + np.exp(-odds)))


def simulate_baskets(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `order_lines` and `stock_events`."""
    orders = tables["orders"]
    rng = chance(world.seed, "baskets", int(tables["people"]["person"].iloc[0]))
    truth = world.company.commerce
    many = rng.choice(4, len(orders), p=truth.lines) + 1
    quoted = orders["quote"].to_numpy() >= 0
    many[quoted] = 1  # a machine; its order is paid off by rates, this is the first
    row = np.repeat(np.arange(len(orders)), many)
    product = _products(world, quoted[row], rng)
    placed = orders["placed_at"].to_numpy()[row]
    gone = orders["status"].cat.codes.to_numpy()[row] == STATUSES.index("cancelled")
    out = rng.random(len(row)) < stock_out_share(world)[product, world.quarter(placed)]
    out &= ~gone
    # Where every line of an order has run out, none is cancelled: all are sent later.
    whole = np.bincount(row, weights=~out, minlength=len(orders))[row] == 0
    dropped = out & ~whole
    price = world.products["price"].to_numpy()[product]
    amount = _amounts(row, np.where(dropped, 0, price * rng.uniform(0.6, 1.4, len(row))), orders)
    amount = np.where(dropped, price, amount).astype(np.int64)
    found = np.minimum(later(placed, rng.uniform(0.5, 20, len(row)) * _HOUR),
                       EXPORTED - np.timedelta64(60, "s"))  # fmt: skip
    found = np.maximum(found, placed)
    stopped = later(placed, (rng.exponential(12 * _HOUR, len(orders)))[row])
    why = pick(rng, CANCEL_REASONS, np.array([0.6, 0, 0.3, 0.1]), len(orders)).codes[row]
    never = np.datetime64("NaT", "s")
    state = np.where(rng.random(len(row)) < np.where(out, 0.6, 0.05), 1, 0)
    state[~out & (rng.random(len(row)) < 0.002)] = STOCK.index("out")
    lines = pd.DataFrame(
        {
            "order": orders["order"].to_numpy()[row],
            "line_no": running(row) + 1,
            "person": orders["person"].to_numpy()[row],
            "product": product,
            "category": world.products["category"].array[product],
            "quantity": np.maximum(1, np.rint(amount / price)).astype(np.int64),
            "net_amount": amount,
            "cost_amount": np.rint(
                amount * (world.products["cost"].to_numpy()[product] / price)
            ).astype(np.int64),
            "stock_at_order": coded(state, STOCK),
            "cancelled_at": np.where(gone, stopped, np.where(dropped, found, never)),
            "cancel_reason": coded(np.where(gone, why, np.where(dropped, 1, -1)), CANCEL_REASONS),
        }
    )
    lines["sale_type"] = _sale_types(lines, orders, row, rng)
    return {
        "order_lines": lines,
        "stock_events": _stock_events(lines, np.flatnonzero(out), dropped, found, rng),
    }


def _products(
    world: World, quoted: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw products by popularity; machines come by quote only."""
    machine = (world.products["category"] == "machine").to_numpy()
    popular = world.products["popularity"].to_numpy()
    drawn = rng.random(len(quoted))
    product = np.zeros(len(quoted), dtype=np.int64)
    for asked, kind in ((quoted, machine), (~quoted, ~machine)):
        places = np.flatnonzero(kind)
        edges = np.cumsum(popular[places]) / popular[places].sum()
        found = np.searchsorted(edges, drawn[asked], side="right")
        product[asked] = places[np.minimum(found, len(places) - 1)]
    return product


def _amounts(
    row: NDArray[np.int64], weight: NDArray[np.float64], orders: pd.DataFrame
) -> NDArray[np.int64]:
    """Split each order's amount over its lines by weight, to the rupiah."""
    total = np.bincount(row, weights=weight, minlength=len(orders))
    upto = np.cumsum(weight)
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]])[row]
    amount = orders["net_amount"].to_numpy()[row]
    reached = np.rint(amount * np.clip((upto - before) / total[row], 0, 1)).astype(np.int64)
    last = np.ones(len(row), dtype=bool)
    last[:-1] = row[1:] != row[:-1]
    reached[last] = amount[last]
    shifted = np.concatenate([[0], reached[:-1]])
    return np.asarray(reached - np.where(running(row) == 0, 0, shifted))


def _sale_types(
    lines: pd.DataFrame, orders: pd.DataFrame, row: NDArray[np.int64], rng: np.random.Generator
) -> pd.Categorical:
    """Tell new, repeated, crossed and bundled lines apart, by what the log knows."""
    key = lines["person"].to_numpy() * 100 + lines["category"].cat.codes.to_numpy()
    known = np.ones(len(lines), dtype=bool)
    known[np.unique(key, return_index=True)[1]] = False
    many = np.bincount(row, minlength=len(orders))[row]
    cheaper = orders["discount_amount"].to_numpy()[row] > 0
    codes = np.where(known, SALES.index("repeat"), SALES.index("cross_sell"))
    codes[known & (rng.random(len(lines)) < 0.06)] = SALES.index("upsell")
    codes[cheaper & (many >= 3)] = SALES.index("bundle")
    codes[orders["true_purchase"].to_numpy()[row] == 0] = SALES.index("new")
    return coded(codes, SALES)


def _stock_events(
    lines: pd.DataFrame,
    out: NDArray[np.int64],
    dropped: NDArray[np.bool_],
    found: NDArray[np.datetime64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Write what the warehouse notes of each line that had run out."""
    waits = out[~dropped[out]]
    swapped = rng.random(len(waits)) < 0.3
    later_on, other = waits[~swapped], waits[swapped]
    rows = np.concatenate([out, later_on, later_on, other])
    wait = np.concatenate(
        [
            np.zeros(len(out)),
            np.full(len(later_on), 60.0),
            rng.uniform(1, 5, len(later_on)) * DAY,
            rng.uniform(1, 20, len(other)) * _HOUR,
        ]
    )
    kinds = np.repeat([0, 1, 3, 2], [len(out), len(later_on), len(later_on), len(other)])
    part = lines.iloc[rows]
    events = pd.DataFrame(
        {
            "event": (part["order"].to_numpy() * 10 + part["line_no"].to_numpy()) * 4 + kinds,
            "order": part["order"].to_numpy(),
            "line_no": part["line_no"].to_numpy(),
            "person": part["person"].to_numpy(),
            "product": part["product"].to_numpy(),
            "occurred_at": later(found[rows], wait),
            "kind": coded(kinds, EVENTS),
        }
    )
    events = events[events["occurred_at"].to_numpy() < EXPORTED]
    return events.sort_values("event", ignore_index=True)
