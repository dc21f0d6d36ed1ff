"""What is brought to the door, when it was promised, and what comes back.

`deliveries`, a row per order of web, app and marketplace that was not cancelled:
`order`, `person`, `carrier` {kurir satu, kurir dua}, `promised_on` (a day in Jakarta),
`shipped_at`, `delivered_at` (UTC; missing where lost, or not yet), `in_full`,
`exception` {lost, damaged, wrong_address, or missing}, `is_late` (known at the export),
`days_late` (below 0 early; 0 also where not delivered), `true_late_probability`,
`true_is_late`, `true_late_at` (UTC: when the promised day is over; missing if kept).

`returns`, a row per order that comes back: `return`, `order`, `person`, `requested_at`,
`reason`, `refund_amount` (0 until resolved), `resolved_at`. `orders` gets its status and
`refund_amount` here.

`promises` of kinds delivery_date and availability: `promise`, `person`, `kind`, `order`,
`promised_at`, `promised_on`, `revised_on`, `actual_on` (days, delivery_date only),
`kept` (1, 0, or -1 where not known yet).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, as_seen, day_of, later, moment_of
from cxlab.data.sample.company import REGIONS
from cxlab.data.sample.people import coded, pick
from cxlab.data.sample.purchases import CHANNELS, STATUSES
from cxlab.data.sample.stacking import stack
from cxlab.data.sample.world import World, chance

__all__ = ["late_probability", "simulate_deliveries", "simulate_promises", "simulate_returns"]

CARRIERS = ("kurir satu", "kurir dua")
EXCEPTIONS = ("lost", "damaged", "wrong_address")
REASONS = ("defect", "not_as_described", "late", "changed_mind", "wrong_item")
_HOUR = 3_600


def late_probability(
    world: World, people: pd.DataFrame, moment: NDArray[np.datetime64]
) -> NDArray[np.float64]:
    """Return the chance that what each person (a row each) orders at a moment comes late."""
    share = world.company.late_share
    region = people["region"].cat.codes.to_numpy()
    odds = np.log(share / (1 - share)) + world.region_late[region, world.quarter(moment)]
    found = world.company.initiative("late")
    if found:
        place, initiative = found
        odds = odds + initiative.effect * world.treated(place, people, moment)
    return np.asarray(1 / (1 + np.exp(-odds)))


def simulate_deliveries(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `deliveries`."""
    people, orders = tables["people"], tables["orders"]
    first = int(people["person"].iloc[0])
    rng = chance(world.seed, "deliver", first)
    gone = orders["status"].cat.codes.to_numpy() == STATUSES.index("cancelled")
    sent = orders[~gone & (orders["channel"].cat.codes.to_numpy() != CHANNELS.index("store"))]
    buyer = people.iloc[sent["person"].to_numpy() - first]
    size = len(sent)
    placed = sent["placed_at"].to_numpy()
    region = buyer["region"].cat.codes.to_numpy()
    probability = late_probability(world, buyer, placed)
    late = rng.random(size) < probability
    promised = day_of(placed) + (3 + region % 3).astype("timedelta64[D]")
    off = np.where(
        late, rng.geometric(world.company.commerce.days_late, size), -rng.integers(0, 3, size)
    )
    # The branch abroad is brought its parcels in the evening of Jakarta.
    hour = np.where(region == len(REGIONS) - 1, rng.uniform(15, 21, size), rng.uniform(9, 19, size))
    arrives = later(moment_of(promised + off.astype("timedelta64[D]")), hour * _HOUR)
    exception = _exceptions(late, rng)
    lost = exception == EXCEPTIONS.index("lost")
    leaves = later(placed, (arrives - placed).astype(float) * rng.uniform(0.1, 0.5, size))
    delivered = as_seen(np.where(lost, np.datetime64("NaT", "s"), arrives))
    overdue = moment_of(promised + np.timedelta64(1, "D"))
    second = _second_carrier(world, buyer, placed) & (
        rng.random(size) < world.company.commerce.new_carrier
    )
    deliveries = pd.DataFrame(
        {
            "order": sent["order"].to_numpy(),
            "person": sent["person"].to_numpy(),
            "carrier": coded(second.astype(int), CARRIERS),
            "promised_on": promised.astype("datetime64[s]"),
            "shipped_at": as_seen(leaves),
            "delivered_at": delivered,
            "in_full": (rng.random(size) >= 0.01) & ~_short(tables, sent["order"].to_numpy()),
            "exception": coded(np.where(overdue < EXPORTED, exception, -1), EXCEPTIONS),
            "is_late": late & (overdue < EXPORTED),
            "days_late": np.where(np.isnat(delivered), 0, off),
            "true_late_probability": probability,
            "true_is_late": late,
            "true_late_at": np.where(late, overdue, np.datetime64("NaT", "s")),
        }
    )
    return {"deliveries": deliveries}


def _short(tables: dict[str, pd.DataFrame], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell from which orders a line was cancelled because it had run out."""
    lines = tables["order_lines"]
    dropped = (lines["cancel_reason"] == "out_of_stock").to_numpy()
    return np.isin(order, lines["order"].to_numpy()[dropped])


def _exceptions(late: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw what went wrong, -1 for nothing; only late parcels are lost."""
    chances = rng.random(len(late))
    edges = np.array([0.02, 0.035, 0.05])
    codes = np.searchsorted(edges, chances, side="right")
    codes = np.where(codes == len(EXCEPTIONS), -1, codes)
    return np.where(~late & (codes == EXCEPTIONS.index("lost")), -1, codes)


def _second_carrier(
    world: World, buyer: pd.DataFrame, placed: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Tell where the second carrier drives; it does in every variant, whatever it changes."""
    names = [i.name for i in world.company.initiatives]
    return world.treated(names.index("second carrier"), buyer, placed)


def simulate_returns(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `returns`, and finish the status of `orders`."""
    orders, deliveries = tables["orders"], tables["deliveries"]
    rng = chance(world.seed, "returns", int(tables["people"]["person"].iloc[0]))
    size = len(deliveries)
    asked = later(deliveries["delivered_at"].to_numpy(), rng.exponential(4 * DAY, size))
    resolved = as_seen(later(asked, rng.uniform(2, 14, size) * DAY))
    back = (rng.random(size) < world.company.commerce.returned) & (asked < EXPORTED)
    calm = pick(rng, REASONS, np.array([0.25, 0.2, 0, 0.4, 0.15]), size).codes
    blames_delay = deliveries["is_late"].to_numpy() & (rng.random(size) < 0.4)
    row = np.searchsorted(orders["order"].to_numpy(), deliveries["order"].to_numpy())
    paid = orders["net_amount"].to_numpy()[row]
    refund = np.where(np.isnat(resolved), 0, paid)[back]
    returns = pd.DataFrame(
        {
            "return": deliveries["order"].to_numpy()[back],
            "order": deliveries["order"].to_numpy()[back],
            "person": deliveries["person"].to_numpy()[back],
            "requested_at": asked[back],
            "reason": coded(np.where(blames_delay, REASONS.index("late"), calm)[back], REASONS),
            "refund_amount": refund,
            "resolved_at": resolved[back],
        }
    )
    status = orders["status"].cat.codes.to_numpy().copy()
    there = ~np.isnat(deliveries["delivered_at"].to_numpy())
    status[row[there]] = STATUSES.index("fulfilled")
    status[row[back]] = STATUSES.index("returned")
    refunds = orders["refund_amount"].to_numpy().copy()
    refunds[row[back]] = refund
    finished = orders.assign(status=coded(status, STATUSES), refund_amount=refunds)
    return {"returns": returns, "orders": finished}


def simulate_promises(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `promises`: the day of each delivery, and that what was ordered is in stock."""
    orders, deliveries = tables["orders"], tables["deliveries"]
    rng = chance(world.seed, "promises", int(tables["people"]["person"].iloc[0]))
    kinds = ("delivery_date", "availability")
    size = len(deliveries)
    promised = deliveries["promised_on"].to_numpy()
    arrived = deliveries["delivered_at"].to_numpy()
    late = deliveries["is_late"].to_numpy()
    moved = promised + (rng.integers(1, 4, size) * DAY).astype("timedelta64[s]")
    row = np.searchsorted(orders["order"].to_numpy(), deliveries["order"].to_numpy())
    number = deliveries["order"].to_numpy() * 10
    never = np.datetime64("NaT", "s")
    short = np.unique(tables["stock_events"]["order"].to_numpy())
    half = {"person": deliveries["person"].to_numpy(), "order": deliveries["order"].to_numpy(),
            "promised_at": orders["placed_at"].to_numpy()[row]}  # fmt: skip
    dates = pd.DataFrame(
        {
            "promise": number,
            "kind": coded(np.zeros(size, dtype=int), kinds),
            **half,
            "promised_on": promised,
            "revised_on": np.where(late & (rng.random(size) < 0.5), moved, never),
            "actual_on": day_of(arrived).astype("datetime64[s]"),
            "kept": np.where(late, 0, np.where(np.isnat(arrived), -1, 1)),
        }
    )
    stock = dates.assign(
        promise=number + 1,
        kind=coded(np.ones(size, dtype=int), kinds),
        promised_on=never, revised_on=never, actual_on=never,
        kept=np.where(np.isin(deliveries["order"].to_numpy(), short), 0, 1),
    )  # fmt: skip
    return {"promises": stack([dates, stock])}
