"""Logs of people who enter a funnel and get on in it, with a known truth."""

import numpy as np
import pandas as pd

from cxlab.data.funnel_settings import Funnel

DAYS = 90.0  # of a cycle
WINDOW = 10.0  # days
SPEC = Funnel(steps=["look", "cart", "buy"], window="10 days")
START = pd.Timestamp("2018-01-01")


def visits(
    rng: np.random.Generator,
    n: int,
    *,
    share: float = 0.3,
    start: pd.Timestamp = START,
    who: str = "c",
    group: str = "web",
    mean_days: float = 2.0,
) -> pd.DataFrame:
    """One entry per person, evenly over the cycle; a share of them buy in the end.

    Half of those who do not buy fill a cart. Whoever buys does so after an exponential time,
    which may be longer than the window.
    """
    entry = rng.uniform(0, DAYS, n)
    buys = rng.random(n) < share
    carts = buys | (rng.random(n) < 0.5)
    wait = rng.exponential(mean_days, n)
    parts = [
        pd.DataFrame({"person": np.arange(n)[made], "activity": what, "day": day[made]})
        for what, made, day in (
            ("look", np.ones(n, dtype=bool), entry),
            ("cart", carts, entry + wait / 2),
            ("buy", buys, entry + wait),
        )
    ]
    log = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": who + log["person"].astype(str),
            "activity": log["activity"],
            "occurred_at": start + pd.to_timedelta(log["day"], unit="D").dt.round("s"),
            "channel": group,
        }
    )


def two_cycles(rng: np.random.Generator, *, same_people: bool = False) -> pd.DataFrame:
    """Two quarters of two channels; the app converts better and grows."""
    before = START - pd.Timedelta(days=91)
    parts = [("app", 400, 0.4, START, "a"), ("web", 600, 0.2, START, "w")]
    parts += [
        ("app", 200, 0.5, before, "a" if same_people else "A"),
        ("web", 800, 0.2, before, "w" if same_people else "W"),
    ]
    return pd.concat(
        [visits(rng, n, share=s, start=t, who=w, group=g) for g, n, s, t, w in parts],
        ignore_index=True,
    )
