"""Machines for offices: opportunities of the sales people, quotes, and the prices promised."""

import numpy as np
import pandas as pd

from cxlab.data.sample.people import coded, pick
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_business"]

Tables = dict[str, pd.DataFrame]

_LOST = ("price", "competitor", "no budget", "no answer")
_LOST_SHARES = np.array([0.35, 0.25, 0.25, 0.15])
_SOURCES = ("fair", "phone", "web form", "recommendation")
_SOURCE_SHARES = np.array([0.2, 0.3, 0.3, 0.2])
_OWNERS = tuple(f"sales {n}" for n in range(1, 13))
_DAY = 86_400


def simulate_business(world: World, tables: Tables) -> Tables:
    """Write the quotes behind orders of machines, and those that came to nothing.

    Returns
    -------
    dict of pandas.DataFrame
        `opportunities`: `opportunity`, `person`, `owner`, `created_at`, `closed_at` (NaT while
        open), `outcome` {won, lost}, `lost_reason`, `amount`, `source_channel`.
        `quotes`: `quote`, `opportunity`, `person`, `requested_at`, `issued_at`, `accepted_at`,
        `list_amount`, `net_amount`, `revisions`, `approval_min`, `config_error`,
        `invoiced_amount` (0 until accepted), `true_kept`: whether the price quoted was charged.
    """
    orders, people = tables["orders"], tables["people"]
    rng = chance(world.seed, "business", int(people["person"].iloc[0]))
    won = orders.loc[orders["quote"] >= 0, ["quote", "person", "placed_at", "net_amount"]]
    lost = _lost(world, people, rng)
    both = pd.concat([won.assign(is_won=True), lost.assign(is_won=False)], ignore_index=True)
    count = len(both)

    def days_before(moment: pd.Series, least: int, most: int) -> pd.Series:
        return moment - pd.to_timedelta(rng.integers(least * _DAY, most * _DAY, count), unit="s")

    closed = both["placed_at"]
    issued = days_before(closed, 1, 20)
    requested = days_before(issued, 0, 9)
    created = days_before(requested, 3, 60)
    discount = rng.uniform(0, 0.15, count)
    listed = (both["net_amount"] / (1 - discount) // 1000 * 1000).astype("int64")
    kept = rng.random(count) < world.company.price_kept
    surcharge = (both["net_amount"] * rng.uniform(0.01, 0.08, count)).astype("int64")
    is_open = ~both["is_won"] & (closed > world.end)
    quotes = pd.DataFrame(
        {
            "quote": both["quote"],
            "opportunity": both["quote"] + 500_000,
            "person": both["person"],
            "requested_at": requested,
            "issued_at": issued,
            "accepted_at": closed.where(both["is_won"]),
            "list_amount": listed,
            "net_amount": both["net_amount"],
            "revisions": rng.poisson(1.2, count),
            "approval_min": np.rint(rng.lognormal(5.5, 0.9, count)),
            "config_error": rng.random(count) < 0.06,
            "invoiced_amount": np.where(
                both["is_won"], both["net_amount"] + np.where(kept, 0, surcharge), 0
            ),
            "true_kept": kept,
        }
    )
    opportunities = pd.DataFrame(
        {
            "opportunity": quotes["opportunity"],
            "person": both["person"],
            "owner": pick(rng, _OWNERS, np.ones(len(_OWNERS)), count),
            "created_at": created,
            "closed_at": closed.where(~is_open),
            "outcome": coded(
                np.where(both["is_won"], 0, np.where(is_open, -1, 1)), ("won", "lost")
            ),
            "lost_reason": pick(rng, _LOST, _LOST_SHARES, count),
            "amount": listed,
            "source_channel": pick(rng, _SOURCES, _SOURCE_SHARES, count),
        }
    )
    opportunities.loc[opportunities["outcome"] != "lost", "lost_reason"] = np.nan
    return {"opportunities": opportunities, "quotes": quotes}


def _lost(world: World, people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the quotes that were not accepted, or not yet."""
    offices = people.loc[people["party"] == "organisation", "person"].to_numpy()
    number = np.repeat(offices, rng.poisson(world.company.quotes_lost, len(offices)))
    span = int((world.end - world.start).astype(int))
    closes = world.start + rng.integers(60 * _DAY, span + 30 * _DAY, len(number)).astype(
        "timedelta64[s]"
    )
    running = np.arange(len(number)) - np.searchsorted(number, number)
    return pd.DataFrame(
        {
            # Orders' quotes are numbered by person as well; these begin where those cannot.
            "quote": 9_000_000_000 + number * 100 + running,
            "person": number,
            "placed_at": closes,
            "net_amount": (rng.lognormal(16.8, 0.5, len(number)) // 1000 * 1000).astype("int64"),
        }
    )
