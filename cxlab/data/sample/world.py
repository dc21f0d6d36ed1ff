"""What happens to everybody alike: quarters, regions in good and bad times, rollouts, goods."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.company import (
    LOG_ENDS,
    LOG_STARTS,
    QUARTERS,
    REGIONS,
    Company,
)

__all__ = ["NEVER", "World", "chance"]

NEVER = 99  # the quarter of a rollout that does not come
_WAVE = 5  # regions that a staggered rollout takes in each quarter
_WAVES = 4
_PRODUCTS = (
    ("beans", 18, 95.0), ("ground", 8, 85.0), ("capsules", 6, 110.0), ("ready to drink", 10, 32.0),
    ("pastry", 8, 24.0), ("gear", 8, 340.0), ("machine", 2, 18_500.0),
)  # fmt: skip


def chance(seed: int, *place: int | str) -> np.random.Generator:
    """Return the random numbers of one place: the same whatever else is drawn elsewhere."""
    # Hashed, so that neither a long name nor a zero at the end makes two places one.
    named = hashlib.sha256(
        repr((seed, *(p if isinstance(p, str) else int(p) for p in place))).encode()
    )
    return np.random.default_rng(int.from_bytes(named.digest()[:16], "big"))


@dataclass(frozen=True, eq=False)
class World:
    """Chance that all customers share; a function of company and seed.

    Attributes
    ----------
    company : Company
        What is true.
    seed : int
        From which all chance follows.
    """

    company: Company
    seed: int
    quarter_starts: NDArray[np.datetime64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # 17:00 UTC on the last day of a quarter is midnight in Jakarta.
        months = np.datetime64("2023-10") + 3 * np.arange(QUARTERS + 1)
        starts = months.astype("datetime64[s]") - np.timedelta64(7, "h")
        object.__setattr__(self, "quarter_starts", starts)

    @property
    def start(self) -> np.datetime64:
        """First moment of the log, UTC."""
        return np.datetime64(LOG_STARTS, "s")

    @property
    def end(self) -> np.datetime64:
        """End of the last whole quarter, UTC."""
        return np.datetime64(LOG_ENDS, "s")

    def quarter(self, moment: NDArray[np.datetime64]) -> NDArray[np.intp]:
        """Number the quarter of each moment, 0 to 11; outside of the log its nearest end."""
        found = np.searchsorted(self.quarter_starts, moment, side="right") - 1
        return np.clip(found, 0, QUARTERS - 1)

    @cached_property
    def region_late(self) -> NDArray[np.float64]:
        """Log odds of a late delivery, by region and quarter: what lasts, and what passes."""
        lasting = chance(self.seed, "late").normal(0, 0.25, (len(REGIONS), 1))
        passing = chance(self.seed, "late", 1).normal(0, 0.45, (len(REGIONS), QUARTERS))
        return np.asarray(lasting + passing + np.array(self.company.hard_times))

    @cached_property
    def region_mood(self) -> NDArray[np.float64]:
        """Latent satisfaction by region and quarter."""
        lasting = chance(self.seed, "mood").normal(0, 0.10, (len(REGIONS), 1))
        passing = chance(self.seed, "mood", 1).normal(0, 0.20, (len(REGIONS), QUARTERS))
        return np.asarray(lasting + passing)

    @cached_property
    def rollout(self) -> NDArray[np.intp]:
        """Quarter from which each initiative (row) reaches each region (column).

        A staggered one begins where the quarter before its start was worst, so that a
        comparison of before and after finds an improvement that would have come anyway.
        The branch abroad and the last regions are never reached.
        """
        quarters = np.full((len(self.company.initiatives), len(REGIONS)), NEVER)
        for row, initiative in enumerate(self.company.initiatives):
            if initiative.design != "staggered":
                quarters[row] = initiative.starts_quarter
                continue
            before = initiative.starts_quarter - 1
            pain = (
                self.region_late[:, before]
                if initiative.metric == "delivery.kept_share"
                else -self.region_mood[:, before]
            )
            worst = np.argsort(-pain[:-1], kind="stable")
            for wave in range(_WAVES):
                reached = worst[wave * _WAVE : (wave + 1) * _WAVE]
                quarters[row, reached] = initiative.starts_quarter + wave
        return quarters

    def treated(
        self, place: int, people: pd.DataFrame, moment: NDArray[np.datetime64]
    ) -> NDArray[np.bool_]:
        """Tell whether an initiative has reached each person (a row each) at each moment."""
        reached = self.rollout[place][people["region"].cat.codes.to_numpy()]
        on = self.quarter(moment) >= reached
        if self.company.initiatives[place].design == "randomised":
            on &= people[f"arm_{place}"].to_numpy() == 1
        return np.asarray(on)

    @cached_property
    def products(self) -> pd.DataFrame:
        """One row per product: number, category, list price and cost in rupiah, popularity."""
        rng = chance(self.seed, "goods")
        rows = [
            (category, round(price * float(rng.lognormal(0, 0.25)) * 2) * 500)
            for category, count, price in _PRODUCTS
            for _ in range(count)
        ]
        goods = pd.DataFrame(rows, columns=["category", "price"])
        goods["category"] = goods["category"].astype("category")
        goods["cost"] = (goods["price"] * rng.uniform(0.35, 0.6, len(goods))).round(-2)
        goods["popularity"] = rng.dirichlet(np.full(len(goods), 2.0))
        goods.insert(0, "product", np.arange(len(goods)))
        return goods
