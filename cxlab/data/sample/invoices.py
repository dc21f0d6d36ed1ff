"""What is invoiced, and how it is paid.

`invoices`, a row per month of a subscription and per order of an organisation:
`invoice`, `person`, `subscription` (or -1), `order` (or -1), `issued_at`, `due_on` (a
day), `paid_at` (UTC, or missing), `total_amount` (rupiah), `failed_attempts`,
`dunning_stage` (0 to 3), `disputed_at`, `dispute_resolved_at`, `corrected`. The last
invoice of a subscription that ended involuntarily is never paid, after four attempts.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, MONTH, as_seen, day_of, later
from cxlab.data.sample.purchases import ORDERS_EACH, STATUSES
from cxlab.data.sample.stacking import stack
from cxlab.data.sample.subscriptions import ENDS
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_invoices"]

_MONTHS = 64  # that the oldest subscription could run: two years and the log
_NEVER = np.datetime64("NaT", "s")


def simulate_invoices(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `invoices`."""
    rng = chance(world.seed, "invoices", int(tables["people"]["person"].iloc[0]))
    monthly, failed = _of_subscriptions(world, tables)
    ordered = _of_orders(tables)
    invoices = stack([monthly, ordered])
    failed = np.concatenate([failed, np.zeros(len(ordered), dtype=bool)])
    size = len(invoices)
    of_order = invoices["order"].to_numpy() >= 0
    issued = invoices["issued_at"].to_numpy()
    attempts = np.where(of_order, 0, rng.choice(3, size, p=[0.94, 0.04, 0.02]))
    attempts = np.where(failed, 4, attempts)
    wait = np.where(
        of_order, rng.gamma(6.0, 5.0, size) * DAY, 3_600 * rng.exponential(1, size)
    ) + attempts * (3 * DAY)
    paid = np.where(failed, _NEVER, as_seen(later(issued, wait)))
    due = (day_of(issued) + np.where(of_order, 30, 7).astype("timedelta64[D]")).astype(
        "datetime64[s]"
    )
    overdue = np.where(np.isnat(paid), EXPORTED, paid) > due
    stage = np.where(overdue & of_order, rng.integers(1, 3, size), 0)
    disputed = (rng.random(size) < np.where(of_order, 0.02, 0.005)) & ~failed
    asked = as_seen(np.where(disputed, later(issued, rng.uniform(1, 20, size) * DAY), _NEVER))
    bills = invoices.assign(
        due_on=due,
        paid_at=paid,
        failed_attempts=attempts,
        dunning_stage=np.where(failed, 3, stage),
        disputed_at=asked,
        dispute_resolved_at=as_seen(later(asked, rng.uniform(2, 30, size) * DAY)),
        corrected=~np.isnat(asked) & (rng.random(size) < 0.4),
    )
    return {"invoices": bills}


def _of_subscriptions(
    world: World, tables: dict[str, pd.DataFrame]
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Write an invoice at the start and after each month; tell which will never be paid."""
    held, changes = tables["subscriptions"], tables["subscription_changes"]
    start = held["started_at"].to_numpy()
    end = held["ended_at"].fillna(pd.Timestamp(EXPORTED)).to_numpy().astype("datetime64[s]")
    issued = later(start[:, None], np.arange(_MONTHS) * MONTH)
    row, month = np.nonzero((issued >= world.start) & (issued < end[:, None]))
    last = np.ones(len(row), dtype=bool)
    last[:-1] = row[1:] != row[:-1]
    person = held["person"].to_numpy()[row]
    moment = issued[row, month]
    by_force = held["end_kind"].cat.codes.to_numpy()[row] == ENDS.index("involuntary")
    bills = pd.DataFrame(
        {
            "invoice": person * 10 * ORDERS_EACH + month,
            "person": person,
            "subscription": held["subscription"].to_numpy()[row],
            "order": np.full(len(row), -1),
            "issued_at": moment,
        }
    )
    # The amount that held at that moment: of the last change before it, or of the start.
    owner = np.searchsorted(held["subscription"].to_numpy(), changes["subscription"].to_numpy())
    since = (changes["changed_at"].to_numpy() - world.start).astype(np.int64)
    long = 10**9  # more seconds than the log has: sorts by subscription, then by moment
    at = (moment - world.start).astype(np.int64)
    found = np.searchsorted(owner * long + since, row * long + at, side="right") - 1
    amount = held["monthly_amount"].to_numpy()[row].copy()
    has = found >= 0
    has[has] = owner[found[has]] == row[has]
    amount[has] = changes["monthly_amount_after"].to_numpy()[found[has]]
    return bills.assign(total_amount=amount), last & by_force


def _of_orders(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Write an invoice a day after each order of an organisation."""
    people, orders = tables["people"], tables["orders"]
    buyer = orders["person"].to_numpy() - int(people["person"].iloc[0])
    billed = people["party"].cat.codes.to_numpy()[buyer] == 1
    billed &= orders["status"].cat.codes.to_numpy() != STATUSES.index("cancelled")
    issued = later(orders["placed_at"].to_numpy(), np.full(len(orders), DAY))
    kept = orders[billed & (issued < EXPORTED)]
    person, number = kept["person"].to_numpy(), kept["order"].to_numpy()
    return pd.DataFrame(
        {
            "invoice": person * 10 * ORDERS_EACH + 1_000 + number % ORDERS_EACH,
            "person": person,
            "subscription": np.full(len(kept), -1),
            "order": number,
            "issued_at": later(kept["placed_at"].to_numpy(), np.full(len(kept), DAY)),
            "total_amount": (kept["net_amount"] + kept["shipping_amount"]).to_numpy(),
        }
    )
