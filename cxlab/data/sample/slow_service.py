"""When the service desk was slow: the one cause of endings that lies in service.

`true_service`, a row per slow episode: `episode`, `person`, `order` (or -1),
`opened_at`, `solved_at` (UTC). The tickets of the service desk are made from it: a slow
ticket is opened and solved at these moments, and counts in the hazard of a subscription
for the 90 days after it was solved.
"""

import numpy as np
import pandas as pd

from cxlab.data.sample.clock import DAY, EXPORTED, later, running, seconds_between
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_slow_service"]


def simulate_slow_service(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `true_service`: after some purchases, and at random among subscribers."""
    people, orders, truth = tables["people"], tables["orders"], tables["true_people"]
    first = int(people["person"].iloc[0])
    commerce = world.company.commerce
    rng = chance(world.seed, "slow", first)
    bought = orders[orders["true_purchase"].to_numpy() >= 0]
    bought = bought[rng.random(len(bought)) < commerce.slow_per_order]
    after = later(bought["placed_at"].to_numpy(), rng.uniform(0.2, 6, len(bought)) * DAY)

    since = np.maximum(people["first_seen_at"].to_numpy(), world.start)
    years = seconds_between(since, EXPORTED) / (365.25 * DAY)
    many = rng.poisson(commerce.slow_per_year * years * truth["true_subscribes"].to_numpy())
    row = np.repeat(np.arange(len(people)), many)
    other = later(since[row], rng.random(len(row)) * (years * 365.25 * DAY)[row])

    episodes = pd.DataFrame(
        {
            "person": np.concatenate(
                [bought["person"].to_numpy(), people["person"].to_numpy()[row]]
            ),
            "order": np.concatenate([bought["order"].to_numpy(), np.full(len(row), -1)]),
            "opened_at": np.concatenate([after, other]),
        }
    )
    slow = 3 * DAY + rng.exponential(3 * DAY, len(episodes))
    episodes["solved_at"] = later(episodes["opened_at"].to_numpy(), slow)
    episodes = episodes[episodes["solved_at"].to_numpy() < EXPORTED]
    episodes = episodes.sort_values(["person", "opened_at"], ignore_index=True)
    number = episodes["person"].to_numpy() * 1_000 + running(episodes["person"].to_numpy())
    episodes.insert(0, "episode", number)
    return {"true_service": episodes}
