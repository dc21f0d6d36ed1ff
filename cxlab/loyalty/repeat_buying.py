"""Who will buy again, and does the model that says so keep its promise?

Three models are fitted and the likeliest is taken. Before anything is foretold, the same
model is fitted to what was known a cycle ago and held against what came.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, query
from cxlab.errors import ConvergenceError, Withheld
from cxlab.loyalty.histories import Base, purchase_days, purchase_histories
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy
from cxlab.report.disclosure.suppression import blank, running
from cxlab.report.finding import Result, estimate_row, interval_row

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.customer_base import Histories, RepeatBuying

__all__ = [
    "FEWEST", "FEWEST_BACK", "RepeatPurchases", "based_on", "fit_best", "fitted", "holdout_error",
    "off_by", "repeat_buying",
]  # fmt: skip

FEWEST = 100  # customers, and
FEWEST_BACK = 30  # of them who came back
MODELS = ("BG/NBD", "MBG/NBD", "Pareto/NBD")
_TOLD = {
    "purchases": ("model", "too many", "too few"),
    "spend": ("models", "too much", "too little"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class RepeatPurchases(Result):
    """Purchases of the cycle as foretold a cycle ago beside those counted, and the next ones.

    Attributes
    ----------
    cycle, model : str
        The cycle that was foretold, and the model that fits best.
    """

    cycle: str
    model: str

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and days between which too few bought."""
        safe, least = super().protect(rules), Policy.of(rules).min_cell
        rows = self.estimates
        counted = rows["measure"] == "counted"
        close = pd.Series(False, index=rows.index)
        close[counted] = running(rows.loc[counted, "count"], least)
        hidden = safe.estimates["suppressed"].to_numpy(dtype=bool) | close.to_numpy()
        return replace(safe, estimates=blank(safe.estimates, hidden))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw what was foretold, with its band, beside what was counted."""
        rows = self.estimates[self.estimates["metric"] == "buying.tracked_purchases"]
        if rows.empty:
            return None
        return charts.curve(
            rows.assign(days=rows["after_days"].astype(float)), x="days", unit="count",
            low="conf_low", high="conf_high", group="measure", zero=True,
            axis="Purchases since the cycle began", name=f"Days of {self.cycle}", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """What the model said of this cycle, how far off it was, and what it says of the next."""
        coming = self._row("buying.expected_purchases")
        if coming is None:
            return f"Too few customers bought up to {self.cycle} to foretell what they will."
        said = (
            f"Today's customers should make {words.number(coming['estimate'])} purchases in the "
            f"cycle after {self.cycle} "
            f"({words.interval(coming['conf_low'], coming['conf_high'], 'count')})"
        )
        gap = self._row("buying.holdout_error")
        if gap is None:
            return f"{said}; whether such forecasts hold cannot be told yet."
        return f"{said}. {off_by(gap, self.cycle, 'purchases')}"

    def _row(self, metric: str) -> Any:
        rows = self.estimates[self.estimates["metric"] == metric]
        rows = rows[~rows["suppressed"].astype(bool)]
        return None if rows.empty else rows.iloc[0]


def repeat_buying(orders: TableLike, *, cycle: Cycle) -> RepeatPurchases:
    """Foretell purchases from how often and how recently customers bought, and check it.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`; `placed_on` and `status` where known.
        What a customer orders on one day is one purchase.
    cycle : Cycle
        The last one that is known: it is foretold from what was known when it began.

    Returns
    -------
    RepeatPurchases
        `buying.tracked_purchases` by days since the cycle began and `measure` (expected,
        counted), `buying.holdout_error` (expected per counted, less one),
        `buying.expected_purchases` of the next cycle.

    Raises
    ------
    Withheld
        If fewer than a hundred customers are known, or fewer than thirty came back.
    ConvergenceError
        If no model has a maximum that can be found.

    Notes
    -----
    BG/NBD, MBG/NBD and Pareto/NBD have four parameters each, so that the likeliest is the best
    by any criterion. Intervals take it for true; that of what was foretold also holds
    what varies by chance. How far off the last forecast was says more of how far to trust
    the next one. Customers whose first order lies before the records count from the first
    that is in them.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284; Schmittlein, Morrison &
    Colombo (1987), Management Science 33(1), 1-24.
    """
    base = purchase_histories(orders, cycle=cycle)
    known = base.histories()
    fits = fit_best(known, cycle)
    best = fits[0]
    days = float((cycle.next.last_day - cycle.last_day).days)
    rows = _tracked(orders, cycle, best.model.title)
    coming = best.total(known, days, realised=True)
    back = float(known.customers[known.x > 0].sum())
    rows.append(
        interval_row("buying.expected_purchases", coming, unit="count", count=back,
                     after_days=None, measure=None)
    )  # fmt: skip
    return RepeatPurchases(
        estimates=pd.DataFrame(rows),
        subtitle=f"Purchases in {cycle.name} of customers known when it began: expected from what "
        "they had bought by then, and counted; 95% band",
        note=based_on(fits, known, cycle),
        cycle=cycle.name,
        model=best.model.title,
    )


def fit_best(known: "Histories", cycle: Cycle) -> list["RepeatBuying"]:
    """Fit each model, the likeliest first; those without a maximum are left out."""
    back = float(known.customers[known.x > 0].sum())
    if known.n < FEWEST or back < FEWEST_BACK:
        raise Withheld(
            f"A model of repeat buying needs at least {FEWEST} customers of whom {FEWEST_BACK} "
            f"came back, but {words.number(known.n)} had ordered and {words.number(back)} come "
            f"back by the end of {cycle.name}."
        )
    tried = [fitted(known, m) for m in MODELS]
    fits = [f for f in tried if f.converged]
    if not fits:
        reasons = "; ".join(f"{f.model.title}: {f.reason}" for f in tried)
        raise ConvergenceError(f"No model of repeat buying converged. {reasons}.")
    return sorted(fits, key=lambda f: -f.log_likelihood)


_fits: dict[bytes, "RepeatBuying"] = {}
_KEPT = 32  # fits; a chapter asks for half a dozen, several times each


def fitted(known: "Histories", model: str) -> "RepeatBuying":
    """Fit a model to histories, converged or not; the same ones are fitted once, whoever asks."""
    from cxlab.stats.customer_base import fit_repeat_buying

    told = hashlib.blake2b(model.encode())
    for column in (known.x, known.t_x, known.watched, known.customers):
        told.update(np.ascontiguousarray(column, dtype=np.float64).tobytes())
    key = told.digest()
    if key not in _fits:
        if len(_fits) >= _KEPT:
            _fits.clear()
        _fits[key] = fit_repeat_buying(known, model=model)  # type: ignore[arg-type]
    return _fits[key]


def based_on(fits: list["RepeatBuying"], known: "Histories", cycle: Cycle) -> str:
    """Say whom a forecast is about, and how it was made."""
    back, best = float(known.customers[known.x > 0].sum()), fits[0]
    return (
        f"Base: {words.number(known.n)} customers with an order by the end of {cycle.last_day}, "
        f"of whom {words.number(back)} came back on another day. Model: {best.model.title}, the "
        f"likeliest of {words.listing([f.model.title for f in fits])}; {best.agreeing} of "
        f"{best.starts} starts of the search agree. The interval takes the model for true."
    )


def holdout_error(orders: TableLike, cycle: Cycle, model: str) -> dict[str, Any] | None:
    """Row of how far off a forecast of the cycle was: expected per counted purchases, less one."""
    rows = _tracked(orders, cycle, model, every=False)
    return next((row for row in rows if row["metric"] == "buying.holdout_error"), None)


def off_by(error: Any, cycle: str, of: Literal["purchases", "spend"]) -> str:
    """Say from the row of an error how far off a forecast was."""
    models, more, less = _TOLD[of]
    off, low, high = (float(error[column]) for column in ("estimate", "conf_low", "conf_high"))

    def told(end: float) -> str:
        return f"{words.value(abs(end), 'share')} {more if end > 0 else less}"

    if low < 0 < high:
        ends = f"{told(low)} to {told(high)}"
    else:
        ends = words.interval(min(abs(low), abs(high)), max(abs(low), abs(high)), "share")
    said = f"{told(off)} {of} for {cycle}"
    if round(abs(off), 3) == 0:
        said = f"the {of} of {cycle} to 0.1%"
    return f"The same {models}, a cycle ago, foretold {said} ({ends})."


def _tracked(
    orders: TableLike, cycle: Cycle, model: str, *, every: bool = True
) -> list[dict[str, Any]]:
    """Foretell the cycle from what was known when it began, and count what came, by week."""
    before: Base = purchase_histories(orders, cycle=cycle.previous)
    customers = query("select count(*) as n, sum(x) as back from b", b=before.each).iloc[0]
    if not customers["n"] >= FEWEST or not customers["back"] >= FEWEST_BACK:
        return []
    known = before.histories()
    fit = fitted(known, model)
    if not fit.converged:
        return []
    length = (cycle.last_day - cycle.previous.last_day).days
    marks = [*(range(14, length - 6, 14) if every else []), length]
    came = query(
        """
        select date_diff('day', $since, first_on) as day, count(*) as people, sum(times) as times
        from (
            select d.customer_id, min(d.bought_on) as first_on, 0 as times
            from d join b on d.customer_id = b.customer_id
            where d.is_now = 1 group by d.customer_id
            union all
            select d.customer_id, d.bought_on, 1 as times
            from d join b on d.customer_id = b.customer_id where d.is_now = 1
        ) as e group by date_diff('day', $since, first_on), times order by day, people
        """,
        d=purchase_days(orders, cycle=cycle),
        b=before.each,
        since=cycle.previous.last_day,
    )
    rows = []
    counts = came["times"].to_numpy(float) > 0
    days = came["day"].to_numpy(float)
    back = float(known.customers[known.x > 0].sum())
    for mark in marks:
        expected = fit.total(known, float(mark), realised=True)
        until = days <= mark
        times = float(came["times"][until].sum())
        people = float(came["people"][until & ~counts].sum())
        rows += [
            interval_row("buying.tracked_purchases", expected, unit="count", count=back,
                         after_days=float(mark), measure="expected"),
            estimate_row("buying.tracked_purchases", times, times, times, n=known.n, count=people,
                         unit="count", method="complete count", after_days=float(mark),
                         measure="counted"),
        ]  # fmt: skip
    if times > 0:
        ends = np.array([expected.estimate, expected.low, expected.high]) / times - 1
        rows.append(
            estimate_row("buying.holdout_error", *ends, n=known.n, count=min(people, back),
                         unit="share", method=expected.method, after_days=None, measure=None)
        )  # fmt: skip
    return rows
