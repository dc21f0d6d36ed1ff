"""Who brought whom, and what the customer base looks like.

Notes
-----
referrals : `referral` (number of the person referred), `referrer`, `referred` (persons),
    `referred_at` (UTC), `order` (the first of the one referred, or -1), `reward_amount`
    (rupiah; paid with the first order).
margin_counts : `variable` {region, birth band, party}, `level`, `count`: how many persons
    of the part. Summed over the parts and divided by all they are the exact margins.
"""

import numpy as np
import pandas as pd

from cxlab.data.sample.clock import DAY, later
from cxlab.data.sample.people import at_rows
from cxlab.data.sample.world import World, chance

__all__ = ["BIRTH_BANDS", "simulate_margins", "simulate_referrals"]

_REWARD = 25_000
# A band contains its first year, and not that of the next.
BIRTH_BANDS = {"before 1980": 0, "1980s": 1980, "1990s": 1990, "2000 and later": 2000}


def simulate_referrals(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the referrals of one part; those before the log are known as well."""
    people, orders = tables["people"], tables["orders"]
    rng = chance(world.seed, "referral", int(people["person"].iloc[0]))
    came = people[people["referred_by"] >= 0]
    # Orders stand in the order of person and moment; cancelled ones earn no reward.
    bought = orders[orders["true_purchase"] == 0]
    row = pd.Index(bought["person"]).get_indexer(came["person"])
    order = at_rows(bought["order"].to_numpy(), row)
    seen = came["first_seen_at"].to_numpy()
    referrals = pd.DataFrame(
        {
            "referral": came["person"].to_numpy(),
            "referrer": came["referred_by"].to_numpy(),
            "referred": came["person"].to_numpy(),
            "referred_at": later(seen, -rng.integers(600, 14 * DAY, len(came))),
            "order": order,
            "reward_amount": np.where(order >= 0, _REWARD, 0),
        }
    )
    # Nobody recommends before they came themselves.
    first = int(people["person"].iloc[0])
    since = people["first_seen_at"].to_numpy()[referrals["referrer"].to_numpy() - first]
    referrals["referred_at"] = np.maximum(referrals["referred_at"].to_numpy(), since)
    return {"referrals": referrals}


def simulate_margins(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:  # noqa: ARG001
    """Count the persons of one part by region, birth-year band and party."""
    people = tables["people"]
    edges = np.array(list(BIRTH_BANDS.values()))
    band = np.searchsorted(edges, people["birth_year"].to_numpy(), side="right") - 1
    columns = {
        "region": people["region"].astype(str),
        "birth band": pd.Series(np.array(list(BIRTH_BANDS))[band]),
        "party": people["party"].astype(str),
    }
    rows = [
        (variable, level, int(count))
        for variable, levels in columns.items()
        for level, count in levels.value_counts().sort_index().items()
    ]
    return {"margin_counts": pd.DataFrame(rows, columns=["variable", "level", "count"])}
