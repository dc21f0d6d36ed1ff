"""Who faced each renewal, and what do models of renewals make of that?

Time is cut in periods of four weeks, at whose end each subscription is renewed or not.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.churn.lengths import FEWEST, begin_of, effect_of
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query
from cxlab.data.span import moment_us
from cxlab.errors import Withheld
from cxlab.report import words
from cxlab.stats.survival import SurvivalCurve, product_limit

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.customer_base import AveragedRetention, RetentionModel

__all__ = ["WEEKS", "Watched", "periods"]

WEEKS = 4  # of a period
_MODELS: tuple["RetentionModel", ...] = ("sBG", "BdW", "geometric")
_WEEK_US = 7 * 86_400_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """Who faced each renewal and left at it, and the curve of those seen."""

    at_risk: Any
    lost: Any
    n: float
    leavers: float  # customers
    effect: float
    curve: SurvivalCurve

    @classmethod
    def of(cls, counts: pd.DataFrame, people: pd.DataFrame, cycle: Cycle) -> "Watched":
        """Count renewals from the first and the last period of each subscription."""
        first, last, over, n = (counts[c].to_numpy(float) for c in ("first", "last", "over", "n"))
        ended = float(n @ over)
        if ended < FEWEST:
            raise Withheld(
                f"A projection needs at least {FEWEST} subscriptions that ended, but "
                f"{words.number(ended)} had by the end of {cycle.name}."
            )
        faced = np.arange(1.0, last.max() + 1)
        at_risk = np.array([n[(first <= k) & (k <= last)].sum() for k in faced])
        lost = np.array([(n * over)[last == k].sum() for k in faced])
        known = np.cumprod(at_risk > 0).astype(bool)  # up to where somebody was watched
        if known.sum() < 2:
            raise Withheld("A projection needs subscriptions that were watched for eight weeks.")
        customers = people.iloc[0]
        effect = effect_of(customers)
        late = first - 1 if (first > 1).any() else None
        curve = product_limit(last, n * over, n * (1 - over), entry=late, design_effect=effect)
        return cls(at_risk=at_risk[known], lost=lost[known], n=float(n.sum()), effect=effect,
                   leavers=float(customers["leavers"]), curve=curve)  # fmt: skip

    def fit(self) -> "AveragedRetention":
        """Fit each model of renewals, and weigh them."""
        from cxlab.stats.customer_base import AveragedRetention, fit_renewals

        # A likelihood of repeated rows is worth as many strangers as the design effect leaves.
        faced, lost = self.at_risk / self.effect, self.lost / self.effect
        return AveragedRetention.of(
            fit_renewals(faced, lost, n=self.n, model=model) for model in _MODELS
        )


def periods(held: Table, group: str, cycle: Cycle, complete_from: date | None) -> pd.DataFrame:
    """Count subscriptions by the first and the last renewal that they were seen to face.

    What ended in a period that is not over counts until the one before: those who may yet
    stay in it are not counted either.
    """
    begin = begin_of(cycle, complete_from)
    return query(
        f"""
        select grp, first, least(last, whole) as last,
            case when last <= whole then over else 0 end as over, count(*) as n
        from (
            select {group} as grp, is_over as over,
                cast(floor(($cutoff_us - epoch_us(started_at)) / {WEEKS * _WEEK_US}) as bigint)
                    as whole,
                case when started_at < $begin then
                    cast(ceil(($begin_us - epoch_us(started_at)) / {WEEKS * _WEEK_US}.0) as bigint)
                    else 0 end + 1 as first,
                case when is_over = 1 then cast(ceil(last_week / {WEEKS}.0) as bigint)
                    else cast(floor((last_week - 1) / {WEEKS}.0) as bigint) end as last
            from h
        ) as p where first <= least(last, whole)
        group by grp, first, least(last, whole), case when last <= whole then over else 0 end
        order by grp, first, last, over
        """,
        h=held,
        cutoff_us=moment_us(cycle.cutoff),
        begin=begin,
        begin_us=moment_us(begin),
    )
