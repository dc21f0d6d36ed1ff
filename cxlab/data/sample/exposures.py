"""Who was reached by which initiative, and what the initiatives cost.

`exposures`, a row per initiative and unit: `initiative` (its place), `unit_kind`
{customer, region, company}, `unit` (person; code of the region; 0), `arm` {treated,
control}, `assigned_at` (UTC), `first_exposed_at` (UTC, missing for control). Customers'
rows are made part by part, the others once (`world_exposures`).

`initiative_costs`, made once: `initiative`, `booked_on` (a day), `amount` (rupiah),
`kind` {one_off, running}.
"""

import numpy as np
import pandas as pd

from cxlab.data.sample.clock import day_of, moment_of
from cxlab.data.sample.company import QUARTERS, REGIONS
from cxlab.data.sample.people import coded
from cxlab.data.sample.stacking import stack
from cxlab.data.sample.world import NEVER, World, chance

__all__ = ["initiative_costs", "simulate_exposures", "world_exposures"]

ARMS = ("treated", "control")
UNITS = ("customer", "region", "company")
_NEVER = np.datetime64("NaT", "s")


def simulate_exposures(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the `exposures` of customers: of the randomised initiatives.

    A customer is assigned when the initiative begins, or when first seen after that, and
    whoever is treated is reached at once: assignment and exposure are one moment.
    """
    people = tables["people"]
    seen = people["first_seen_at"].to_numpy()
    parts = []
    for place, initiative in enumerate(world.company.initiatives):
        if initiative.design != "randomised":
            continue
        assigned = np.maximum(seen, world.quarter_starts[initiative.starts_quarter])
        treated = people[f"arm_{place}"].to_numpy() == 1
        parts.append(_rows(place, 0, people["person"].to_numpy(), treated, assigned))
    return {"exposures": stack(parts)}


def world_exposures(world: World) -> pd.DataFrame:
    """Make the `exposures` of regions and of the whole company.

    A region that is reached later is a control until then: its one row says when it is
    treated. A region that is never reached stays control.
    """
    parts = []
    for place, initiative in enumerate(world.company.initiatives):
        start = world.quarter_starts[initiative.starts_quarter]
        if initiative.design == "whole company":
            parts.append(_rows(place, 2, np.zeros(1, int), np.ones(1, bool), np.array([start])))
        elif initiative.design == "staggered":
            reached = world.rollout[place]
            treated = reached < NEVER
            moment = np.where(
                treated, world.quarter_starts[np.minimum(reached, QUARTERS - 1)], start
            )
            parts.append(_rows(place, 1, np.arange(len(REGIONS)), treated, moment))
    return stack(parts)


def _rows(
    place: int, kind: int, unit: np.ndarray, treated: np.ndarray, assigned: np.ndarray
) -> pd.DataFrame:
    """Write one row per unit of an initiative."""
    return pd.DataFrame(
        {
            "initiative": np.full(len(unit), place),
            "unit_kind": coded(np.full(len(unit), kind), UNITS),
            "unit": unit,
            "arm": coded(np.where(treated, 0, 1), ARMS),
            "assigned_at": assigned,
            "first_exposed_at": np.where(treated, assigned, _NEVER),
        }
    )


def initiative_costs(world: World) -> pd.DataFrame:
    """Make `initiative_costs`: once at the start, and each month from then on."""
    rng = chance(world.seed, "spent")
    rows = []
    for place, initiative in enumerate(world.company.initiatives):
        start = day_of(world.quarter_starts[initiative.starts_quarter])
        once = 1_000_000 * int(rng.integers(20, 120))
        rows.append((place, start, once, "one_off"))
        month = start.astype("datetime64[M]")
        while moment_of(month.astype("datetime64[D]")) < world.end:
            rows.append((place, month.astype("datetime64[D]"), once // 25, "running"))
            month = month + 1
    costs = pd.DataFrame(rows, columns=["initiative", "booked_on", "amount", "kind"])
    costs["booked_on"] = costs["booked_on"].astype("datetime64[s]")
    costs["kind"] = costs["kind"].astype("category")
    return costs
