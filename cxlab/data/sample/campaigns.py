"""What the company says to everybody: a campaign per channel and quarter, and who came by it.

Notes
-----
campaigns : `campaign`, `name`, `channel`, `starts_on`, `ends_on` (days in Jakarta, as
    midnight), `impressions`, `cost_amount` (rupiah). They grow with the company.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.company import QUARTERS
from cxlab.data.sample.paths import ALL_CHANNELS
from cxlab.data.sample.people import coded
from cxlab.data.sample.world import World, chance

__all__ = ["CAMPAIGN_CHANNELS", "campaign_of", "simulate_campaigns"]

# Contacts that a customer of the company stands for in a quarter, and rupiah per 1,000.
_REACH = {
    "tv": (40.0, 45_000.0),
    "brochure": (4.0, 900_000.0),
    "radio": (15.0, 30_000.0),
    "event": (0.5, 9_000_000.0),
    "email": (6.0, 60_000.0),
    "sms": (1.5, 450_000.0),
    "social": (30.0, 40_000.0),
    "search": (12.0, 250_000.0),
    "advertising": (20.0, 55_000.0),
    "direct_selling": (0.2, 15_000_000.0),
}
CAMPAIGN_CHANNELS = tuple(_REACH)
_BY_CAMPAIGN = 0.7  # share of touches in such a channel that a campaign brought about
_PLACE = np.array([CAMPAIGN_CHANNELS.index(c) if c in _REACH else -1 for c in ALL_CHANNELS])


def simulate_campaigns(world: World, customers: int) -> pd.DataFrame:
    """Make the campaigns of a company with so many customers."""
    rng = chance(world.seed, "campaign")
    quarter, channel = np.divmod(np.arange(QUARTERS * len(_REACH)), len(_REACH))
    reach, price = np.array(list(_REACH.values()))[channel].T
    luck = rng.lognormal(0, 0.2, (2, len(quarter)))
    impressions = np.rint(customers * reach * luck[0]).astype(np.int64)
    # Local midnight is written as a day; the quarter's days are Jakarta's.
    days = (world.quarter_starts + np.timedelta64(7, "h")).astype("datetime64[D]")
    begins = days[quarter] + rng.integers(0, 30, len(quarter)).astype("timedelta64[D]")
    ends = np.minimum(
        begins + rng.integers(14, 60, len(quarter)).astype("timedelta64[D]"),
        days[quarter + 1] - np.timedelta64(1, "D"),
    )
    names = [
        f"{CAMPAIGN_CHANNELS[c].replace('_', ' ')} {2023 + (q + 3) // 4}Q{(q + 3) % 4 + 1}"
        for q, c in zip(quarter, channel, strict=True)
    ]
    return pd.DataFrame(
        {
            "campaign": np.arange(len(quarter)),
            "name": names,
            "channel": coded(channel, CAMPAIGN_CHANNELS),
            "starts_on": begins.astype("datetime64[s]"),
            "ends_on": ends.astype("datetime64[s]"),
            "impressions": impressions,
            "cost_amount": np.rint(impressions * price * luck[1] / 1_000).astype(np.int64),
        }
    )


def campaign_of(rng: np.random.Generator, world: World, touches: pd.DataFrame) -> NDArray[np.intp]:
    """Return the campaign that brought about each touch, or -1."""
    place = _PLACE[touches["channel"].cat.codes.to_numpy()]
    quarter = world.quarter(touches["at"].to_numpy())
    brought = (place >= 0) & (rng.random(len(touches)) < _BY_CAMPAIGN)
    return np.where(brought, quarter * len(CAMPAIGN_CHANNELS) + place, -1)
