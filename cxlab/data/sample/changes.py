"""What changes in a subscription on its way, and how much of it is used.

`subscription_changes`, a row per change in the log: `subscription`, `changed_at` (UTC),
`kind` {upgrade, downgrade, pause, resume, price_rise}, `monthly_amount_before`,
`monthly_amount_after` (rupiah; a pause leaves the amount as it is).

`usage`, a row per subscription and whole month of the log: `subscription`, `period_on`
(a day), `units`, `included_units` (bags), `overage_amount` (rupiah).
"""

import numpy as np
import pandas as pd

from cxlab.data.sample.clock import DAY, EXPORTED, later, moment_of, running
from cxlab.data.sample.people import coded
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_changes", "simulate_usage"]

CHANGES = ("upgrade", "downgrade", "pause", "resume", "price_rise")
_FACTORS = (1.5, 1 / 1.5, 1.0, 1.0)
_PAUSE_DAYS = 30
_EXTRA_BAG = 45_000  # rupiah


def simulate_changes(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `subscription_changes`, and the `current_amount` of `subscriptions`."""
    held = tables["subscriptions"]
    rng = chance(world.seed, "changes", int(tables["people"]["person"].iloc[0]))
    truth = world.company.commerce
    begin = np.maximum(held["started_at"].to_numpy(), world.start)
    end = held["ended_at"].fillna(pd.Timestamp(EXPORTED)).to_numpy().astype("datetime64[s]")
    life = (end - begin).astype(np.float64)
    rows, moments, kinds = [], [], []
    for name, rate in truth.change_per_year.items():
        row = np.repeat(np.arange(len(held)), rng.poisson(rate * life / (365.25 * DAY)))
        moment = later(begin[row], rng.random(len(row)) * life[row])
        rows.append(row)
        moments.append(moment)
        kinds.append(np.full(len(row), CHANGES.index(name)))
        if name == "pause":
            rows.append(row)
            moments.append(later(moment, np.full(len(row), _PAUSE_DAYS * DAY)))
            kinds.append(np.full(len(row), CHANGES.index("resume")))
    for code, plan in enumerate(truth.plans):
        for rise in moment_of(np.array(plan.rises_on, dtype="datetime64[D]")):
            row = np.flatnonzero(held["plan"].cat.codes.to_numpy() == code)
            row = row[begin[row] < rise]
            rows.append(row)
            moments.append(np.full(len(row), rise))
            kinds.append(np.full(len(row), CHANGES.index("price_rise")))
    row, moment, kind = np.concatenate(rows), np.concatenate(moments), np.concatenate(kinds)
    order = np.lexsort((moment, row))
    order = order[moment[order] < end[row[order]]]
    row, moment, kind = row[order], moment[order], kind[order]
    factor = np.array([*_FACTORS, truth.price_rise])[kind]
    amount = held["monthly_amount"].to_numpy().copy()
    before, after = np.zeros(len(row), dtype=np.int64), np.zeros(len(row), dtype=np.int64)
    turn = running(row)
    for rank in range(int(turn.max(initial=-1)) + 1):  # first changes, second changes, ...
        at = np.flatnonzero(turn == rank)
        before[at] = amount[row[at]]
        after[at] = np.rint(before[at] * factor[at] / 100).astype(np.int64) * 100
        amount[row[at]] = after[at]
    changes = pd.DataFrame(
        {
            "subscription": held["subscription"].to_numpy()[row],
            "changed_at": moment,
            "kind": coded(kind, CHANGES),
            "monthly_amount_before": before,
            "monthly_amount_after": after,
        }
    )
    return {
        "subscription_changes": changes,
        "subscriptions": held.assign(current_amount=amount),
    }


def simulate_usage(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `usage`: bags of beans in each whole month of the log."""
    held = tables["subscriptions"]
    rng = chance(world.seed, "usage", int(tables["people"]["person"].iloc[0]))
    months = np.arange("2023-10", "2026-11", dtype="datetime64[M]").astype("datetime64[D]")
    edges = moment_of(months)
    end = held["ended_at"].fillna(pd.Timestamp(EXPORTED)).to_numpy().astype("datetime64[s]")
    whole = (held["started_at"].to_numpy()[:, None] < edges[:-1]) & (end[:, None] >= edges[1:])
    row, month = np.nonzero(whole)
    bags = np.array([p.bags for p in world.company.commerce.plans])
    included = bags[held["plan"].cat.codes.to_numpy()[row]]
    units = rng.poisson(0.9 * included)
    usage = pd.DataFrame(
        {
            "subscription": held["subscription"].to_numpy()[row],
            "period_on": months[month].astype("datetime64[s]"),
            "units": units,
            "included_units": included,
            "overage_amount": np.maximum(units - included, 0) * _EXTRA_BAG,
        }
    )
    return {"usage": usage}
