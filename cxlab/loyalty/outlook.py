"""Who still buys? Nobody knows of a customer without a contract; of many, a model can tell."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.loyalty.histories import purchase_histories
from cxlab.loyalty.repeat_buying import based_on, fit_best
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row

if TYPE_CHECKING:
    from cxlab.stats.customer_base import Histories, RepeatBuying

__all__ = ["Outlook", "still_buying"]

_CLASSES = ((0, 0), (1, 1), (2, 2), (3, 5), (6, 11), (12, None))


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook(Result):
    """Chance that customers still buy, and purchases to expect, by how often they came back.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    """

    cycle: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share who still buy."""
        rows = self.estimates[self.estimates["metric"] == "buying.active_share"]
        rows = rows[rows["times_back"].notna()]
        if rows.empty:
            return None
        return charts.dots(
            rows, label="times_back", unit="share", axis="Share who still buy, %", ax=ax
        )

    def sentence(self) -> str:
        """How many of all still buy, as far as the data say."""
        rows = self.estimates[self.estimates["metric"] == "buying.active_share"]
        rows = rows[rows["times_back"].isna() & ~rows["suppressed"].astype(bool)]
        if rows.empty:
            return f"How many customers still bought by the end of {self.cycle} cannot be told."
        row = rows.iloc[0]
        ends = words.interval(row["conf_low"], row["conf_high"], "share")
        if row["conf_high"] >= 1:  # no end: their silence does not say that any has gone
            ends = f"at least {words.value(row['conf_low'], 'share')}"
        return (
            f"{words.value(row['estimate'], 'share')} of all customers so far still buy, as far "
            f"as their silence tells ({ends})."
        )


def still_buying(orders: TableLike, *, cycle: Cycle) -> Outlook:
    """Estimate how many customers still buy, and how much, by how often they came back.

    Parameters
    ----------
    orders : table
        As of `repeat_buying`.
    cycle : Cycle
        At whose end.

    Returns
    -------
    Outlook
        `buying.active_share` in all and by `times_back`, and `buying.expected_per_customer`
        in the next cycle.

    Raises
    ------
    Withheld
        If fewer than a hundred customers are known, or fewer than thirty came back.
    ConvergenceError
        If no model has a maximum that can be found.

    Notes
    -----
    The interval of the share of all is by profile likelihood, the others are by the delta
    method. BG/NBD takes everybody who never came back for active; where it is the likeliest
    model, who still buys is told by the next one.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1), 1-24; Batislam, Denizel
    & Filiztekin (2007), International Journal of Research in Marketing 24(3), 201-209.
    """
    known = purchase_histories(orders, cycle=cycle).histories()
    fits = fit_best(known, cycle)
    days = float((cycle.next.last_day - cycle.last_day).days)
    return Outlook(
        estimates=pd.DataFrame(_estimates(fits, known, days)),
        subtitle="Share of customers who still buy, %, by how often they came back; 95% interval",
        note=f"{based_on(fits, known, cycle)} {_told_by(fits)}".strip(),
        cycle=cycle.name,
    )


def _estimates(
    fits: list["RepeatBuying"], known: "Histories", length: float
) -> list[dict[str, Any]]:
    best = fits[0]
    doubting = [f for f in fits if f.model.title != "BG/NBD"]
    rows = []
    if doubting:
        found = doubting[0].active(known)
        rows.append(
            estimate_row(
                "buying.active_share", found.estimate / known.n, found.low / known.n,
                found.high / known.n, n=known.n, count=found.estimate, unit="share",
                method=f"{doubting[0].model.title}, {found.method}", times_back=None,
            )
        )  # fmt: skip
    for low, high in _CLASSES:
        inside = (known.x >= low) & (known.x <= (np.inf if high is None else high))
        many = float(known.customers[inside].sum())
        if not many:
            continue
        name = _times(low, high)
        for fit in doubting[:1]:
            rows.append(_active(fit, known, inside, name))
        mean = best.errors(
            lambda p, inside=inside, many=many: np.array(  # type: ignore[misc]
                [known.customers[inside] @ best.expected(p, known, length)[inside] / many]
            )
        )
        rows.append(_expected(best, mean, many, name))
    return rows


def _told_by(fits: list["RepeatBuying"]) -> str:
    """Say which model tells who still buys, where that is not the likeliest."""
    if fits[0].model.title != "BG/NBD":
        return ""
    others = [f.model.title for f in fits[1:]]
    if not others:
        return (
            "BG/NBD cannot tell who of those who never came back still buys, so that is not shown."
        )
    return (
        f"Who still buys is told by {others[0]}: BG/NBD takes everybody who never came back for "
        "active."
    )


def _times(low: int, high: int | None) -> str:
    if high is None:
        return f"{low} times or more"
    if high == 0:
        return "never"
    if low == high:
        return "once" if low == 1 else "twice"
    return f"{low} to {high} times"


def _active(
    fit: "RepeatBuying", known: "Histories", inside: "np.ndarray[Any, Any]", name: str
) -> dict[str, Any]:
    """Mean chance of a class to still buy; never certain, whatever the model says."""
    from cxlab.stats.customer_base.fit import logit_ends

    weights = known.customers * inside
    many = float(weights.sum())
    share, se = fit.errors(lambda p: np.array([weights @ fit.model.p_alive(p, known) / many]))
    low, high = logit_ends(share, se, fit.level)
    return estimate_row(
        "buying.active_share", float(share[0]), float(low[0]), float(high[0]), n=many,
        count=float(share[0]) * many, unit="share", times_back=name,
        method=f"{fit.model.title}, maximum likelihood, delta method on the logit scale",
    )  # fmt: skip


def _expected(
    fit: "RepeatBuying", found: tuple[Any, Any], many: float, name: str
) -> dict[str, Any]:
    from cxlab.stats.customer_base.fit import positive

    mean = positive(float(found[0][0]), float(found[1][0]), n=many, level=fit.level)
    return interval_row("buying.expected_per_customer", mean, unit="mean", times_back=name)
