"""Who was there to serve, and what everything cost; for the company as a whole.

Notes
-----
shifts : `team`, `interval_start_at` (UTC; hours from 8 to 20 local time), `required_min`,
    `present_min`, `skilled_min`, `employee_engagement` (1 to 5, by team and month).
costs : `period_on` (first day of a month), `activity`, `amount` (rupiah), `units`.
"""

import numpy as np
import pandas as pd

from cxlab.data.sample.clock import moment_of
from cxlab.data.sample.people import coded
from cxlab.data.sample.service import TEAMS
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_costs", "simulate_shifts"]

_MONTHS = 36
_BUSY = np.array([0.6, 0.8, 1.2, 1.4, 1.1, 1.0, 1.1, 1.2, 1.1, 0.9, 0.8, 0.8])  # 8 to 19 h
_TEAM_LOAD = np.array([0.55, 0.15, 0.12, 0.18])
_MINUTES = 0.06  # of service that a customer needs in a day
# Rupiah per customer and month, and units per customer: contacts, new customers, ...
_ACTIVITIES = {
    "service": (1_900, 0.04),
    "acquisition": (4_200, 0.05),
    "retention": (1_300, 0.10),
    "programme": (700, 0.50),
    "fulfilment": (5_500, 0.13),
    "platform": (900, 1.0),
}


def simulate_shifts(world: World, customers: int) -> pd.DataFrame:
    """Make the rosters of a company with so many customers, hour by hour."""
    rng = chance(world.seed, "shifts")
    first = np.datetime64("2023-10-01")
    days = int((np.datetime64("2026-10-01") - first).astype(int))
    day, hour, team = (g.ravel() for g in np.meshgrid(
        np.arange(days), np.arange(len(_BUSY)), np.arange(len(TEAMS)), indexing="ij"
    ))  # fmt: skip
    at = moment_of(first + day.astype("timedelta64[D]")) + ((8 + hour) * 3_600).astype(
        "timedelta64[s]"
    )
    growth = 0.7 + 0.3 * day / days
    load = customers * _MINUTES * growth * _TEAM_LOAD[team] * _BUSY[hour] / len(_BUSY)
    required = np.maximum(load * rng.lognormal(0, 0.2, len(day)), 5)
    month = day * _MONTHS // days
    mood = 3.6 + rng.normal(0, 0.2, (len(TEAMS), 1)) + rng.normal(0, 0.15, (len(TEAMS), _MONTHS))
    present = required * np.clip(rng.normal(0.98, 0.12, len(day)), 0.4, 1.4)
    skilled = present * rng.uniform(0.6, 1.0, len(day))
    return pd.DataFrame(
        {
            "team": coded(team, TEAMS),
            "interval_start_at": at,
            "required_min": np.rint(required).astype(np.int64),
            "present_min": np.rint(present).astype(np.int64),
            "skilled_min": np.rint(skilled).astype(np.int64),
            "employee_engagement": np.clip(mood, 1, 5).round(2)[team, month],
        }
    )


def simulate_costs(world: World, customers: int) -> pd.DataFrame:
    """Make the monthly costs of a company with so many customers."""
    rng = chance(world.seed, "costs")
    month, place = np.divmod(np.arange(_MONTHS * len(_ACTIVITIES)), len(_ACTIVITIES))
    rate, units = np.array(list(_ACTIVITIES.values())).T
    active = customers * (0.4 + 0.6 * month / _MONTHS)
    luck = rng.lognormal(0, 0.08, (2, len(month)))
    return pd.DataFrame(
        {
            "period_on": (np.datetime64("2023-10") + month).astype("datetime64[s]"),
            "activity": coded(place, tuple(_ACTIVITIES)),
            "amount": np.rint(active * rate[place] * luck[0]).astype(np.int64),
            "units": np.rint(active * units[place] * luck[1]).astype(np.int64),
        }
    )
