"""What are customers still worth: purchases to come, times what they spend, discounted?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from cxlab.columns import ALL_OTHERS
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import ParameterError, Withheld
from cxlab.loyalty.amounts import Sums, added, brought, served
from cxlab.loyalty.histories import purchase_histories, spend_counts
from cxlab.loyalty.repeat_buying import based_on, fit_best, holdout_error, off_by
from cxlab.loyalty.spend_check import SPEND_ERROR, spend_error
from cxlab.report import charts, words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, estimate_row, interval_row

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.customer_base import Histories, RepeatBuying, ResidualValue, Spend

__all__ = ["LifetimeValue", "lifetime_value"]

GROUPS = 11  # with a row of their own; the others together
_SURE = 0.05
_ERRORS: dict[str, Literal["spend", "purchases"]] = {
    SPEND_ERROR: "spend",
    "value.holdout_error": "purchases",
}
_YEAR = 365.25


@dataclass(frozen=True, kw_only=True, eq=False)
class LifetimeValue(Result):
    """Residual value of customers, per customer and in all, beside what they brought so far.

    Attributes
    ----------
    cycle : str
        At whose end they are valued.
    by : str or None
        What the groups are.
    horizon : str
        How far value is counted, in words.
    """

    cycle: str
    by: str | None
    horizon: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the residual value per customer, of each group or beside that of the past."""
        rows = self._rows("value.per_customer_amount")
        unit = str(rows["unit"].iloc[0])
        if self.by is None:
            return charts.dots(rows, label="measure", unit=unit, axis=f"{unit} per customer", ax=ax)
        rows = rows[rows[self.by].notna() & (rows["measure"] == "residual")]
        name = f"Residual value, {unit} per customer"
        return charts.dots(rows, label=self.by, unit=unit, axis=name, ax=ax)

    def sentence(self) -> str:
        """What a customer is still worth, how groups differ, and how far to trust it."""
        rows = self._rows("value.per_customer_amount")
        rows = rows[(rows["measure"] == "residual") & ~rows["suppressed"].astype(bool)]
        whole = rows[rows[self.by].isna()] if self.by else rows
        if whole.empty:
            return f"Too few customers stand behind their value at the end of {self.cycle}."
        row = whole.iloc[0]
        said = (
            f"A customer is expected to bring another {words.value(row['estimate'], row['unit'])} "
            f"{self.horizon} "
            f"({words.interval(row['conf_low'], row['conf_high'], row['unit'])})"
        )
        if self.by and rows[self.by].notna().sum() > 1:
            said = self._by_group(rows[rows[self.by].notna()])
        # A value is money, so the error of money goes beside it; that of purchases if it must.
        for metric, of in _ERRORS.items():
            error = self._rows(metric)
            error = error[~error["suppressed"].astype(bool)]
            if len(error):
                return f"{said}. {off_by(error.iloc[0], self.cycle, of)}"
        return f"{said}; whether such forecasts hold cannot be told yet."

    def _by_group(self, rows: pd.DataFrame) -> str:
        """Say between which groups the value lies, and whether that is more than chance."""
        known, name = rows.sort_values("estimate", kind="stable"), str(self.by)
        low, high, unit = known.iloc[0], known.iloc[-1], str(known["unit"].iloc[0])
        ends = [
            f"{words.value(r['estimate'], unit)} ({r[name]}; "
            f"{words.interval(r['conf_low'], r['conf_high'], unit).removeprefix(f'{unit} ')})"
            for r in (low, high)
        ]
        apart = low["conf_high"] < high["conf_low"]
        return (
            f"By {name.replace('_', ' ')}, customers are still expected to bring from {ends[0]} "
            f"to {ends[1]} each {self.horizon}{'' if apart else ', which chance alone could make'}"
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def lifetime_value(
    orders: TableLike,
    *,
    cycle: Cycle,
    by: TableLike | None = None,
    currency: str = "amount",
    years: float = 3.0,
    discount_rate: float = 0.1,
    margin: float = 1.0,
    contacts: TableLike | None = None,
) -> LifetimeValue:
    """Value customers by what they are expected to buy from now on, discounted to now.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`; `placed_on` and `status` where known.
    cycle : Cycle
        At whose end customers are valued.
    by : table, optional
        `customer_id` and one more column, whose groups get a value each.
    currency : str
        Unit of money.
    years : float
        How far value is counted.
    discount_rate : float
        Per year, effective: 0.1 for 10 %.
    margin : float
        Share of the spend that is earned, after the cost of goods. By default all of it:
        revenue, not profit.
    contacts : table, optional
        `customer_id`, `started_at`, `cost_amount`: what contacts with customers cost. What a
        purchase of a group's customers cost so far is taken off each one to come.

    Returns
    -------
    LifetimeValue
        `value.per_customer_amount` by `measure`: what was brought so far, the residual value
        from now on, and both in total; `value.residual_amount` of all customers of a group;
        with `contacts` also `value.service_amount`, their cost per purchase so far;
        `value.spend_amount` per purchase, `value.spend_by_doubling_amount` and
        `value.p_independence`: whether those who buy twice as often spend more or less, which
        the model of spend excludes; `value.holdout_spend_error` and
        `value.holdout_error`: how far off the last cycle's spend and
        purchases were foretold.

    Raises
    ------
    Withheld
        If too few customers came back, or their spend has no mean.
    ConvergenceError
        If a model has no maximum that can be found.
    ParameterError
        If an option has no meaning.

    Notes
    -----
    Purchases by the likeliest of BG/NBD, MBG/NBD and Pareto/NBD, spend by gamma-gamma, both
    fitted to all customers; a group's value follows from what its customers bought. The
    interval takes both for true, and is for what these customers will bring: who they are and
    chance are in it.

    References
    ----------
    Fader, Hardie & Lee (2005), "RFM and CLV", Journal of Marketing Research 42(4), 415-430.
    """
    from cxlab.stats.customer_base import fit_spend, spend_independence

    base = purchase_histories(orders, cycle=cycle)
    known = base.histories()
    fits = fit_best(known, cycle)
    paid = spend_counts(base)
    if paid["customers"].sum() < 10 or paid["x"].nunique() < 2:
        raise Withheld("A model of spend needs customers who came back differently often and paid.")
    spend = fit_spend(paid["x"], paid["spend"], paid["customers"])
    apart = spend_independence(paid["x"], paid["spend"], paid["customers"])
    how = {"years": years, "discount_rate": discount_rate, "margin": margin}
    groups, name = base.by_group(by) if by is not None else ({}, None)
    past = brought(base, by)
    costs = served(base, contacts, cycle, by) if contacts is not None else {}
    rows = _group_rows(fits[0], spend, _Group(known, past[None], costs.get(None)), how, currency)
    shown = _gathered(groups)
    rest = [group for group in groups if group not in shown]
    for group, mine in shown.items():
        many = rest if group == ALL_OTHERS and rest else [group]
        cost = added([costs[g] for g in many]) if costs else None
        own = _Group(mine, added([past[g] for g in many]), cost)
        rows += _group_rows(fits[0], spend, own, how, currency, **{str(name): group})
    money = Money.either(_money(known, np.nan_to_num(known.spend)))
    people = float(paid["customers"].sum())
    rows.append(
        interval_row("value.spend_amount", spend.population(), unit=currency, count=people,
                     money=money)
    )  # fmt: skip
    rows.append(
        interval_row("value.spend_by_doubling_amount", apart.by_doubling, unit=currency,
                     count=people, money=money)
    )  # fmt: skip
    p = apart.p_value
    rows.append(estimate_row("value.p_independence", p, p, p, n=people, unit="p",
                             method="regression, White's errors"))  # fmt: skip
    model = fits[0].model.title
    if (missed := holdout_error(orders, cycle, model)) is not None:
        del missed["after_days"]
        rows.append(missed | {"metric": "value.holdout_error"})
    if (off := spend_error(orders, cycle=cycle, model=model)) is not None:
        rows.append(off)
    horizon = f"within {words.number(years, 0 if years == int(years) else 1)} years"
    frame = pd.DataFrame(rows)
    for column in ("measure", *([name] if name else [])):
        frame[column] = frame[column].where(frame[column].notna(), None)
    return LifetimeValue(
        estimates=frame,
        subtitle=f"Expected {'revenue' if margin == 1 else 'margin'} per customer {horizon}, "
        f"{'after the cost of contacts, ' if costs else ''}discounted at "
        f"{words.value(discount_rate, 'share')} a year, {currency}; 95% interval",
        note=f"{based_on(fits, known, cycle)} {_told(apart, currency)} Residual value is what is "
        "still to come; total adds what was brought so far. What it cost to win a customer is "
        "in neither."
        + " Contacts cost as much per purchase to come as they did so far."
        * bool(costs),
        cycle=cycle.name,
        by=name,
        horizon=horizon,
    )


def _told(apart: Any, currency: str) -> str:
    """Say whether frequency tells of spend."""
    slope = apart.by_doubling
    said = (
        "Whoever buys twice as often spends "
        f"{words.change(slope.estimate, slope.low, slope.high, currency)} per purchase"
    )
    if apart.p_value < _SURE:
        return f"{said}. The model of spend leaves this out, so values by frequency are off."
    return f"{said}: no clear relation, as the model of spend supposes."


def _gathered(groups: dict[str, "Histories"]) -> dict[str, "Histories"]:
    """Keep the largest groups, and put all others together."""
    from cxlab.stats.customer_base import histories

    if len(groups) <= GROUPS + 1:
        return groups
    own = dict(list(groups.items())[:GROUPS])
    rest = list(groups.values())[GROUPS:]
    parts = {
        k: np.concatenate([getattr(h, k) for h in rest])
        for k in ("x", "t_x", "watched", "customers", "spend")
    }
    spend = np.nan_to_num(parts.pop("spend"))
    return own | {ALL_OTHERS: histories(**parts, spend=spend)}


@dataclass(frozen=True, eq=False)
class _Group:
    """Customers, what they brought so far, and what contacts with them cost."""

    base: "Histories"
    past: Sums
    service: Sums | None

    @property
    def per_purchase(self) -> float:
        """Cost of contacts per purchase so far; 0 where none is known."""
        return self.service["total"] / self.service["purchases"] if self.service else 0.0


def _group_rows(
    buying: "RepeatBuying",
    spend: "Spend",
    group: _Group,
    how: dict[str, float],
    currency: str,
    **dims: Any,
) -> list[dict[str, Any]]:
    """Rows of one group: so far, residual and in total per customer, and residual in all."""
    found = _valued(buying, spend, group, how)
    whole, n, past = found.total(realised=True), group.base.n, group.past
    spent = group.service["total"] if group.service else 0.0
    so_far = (how["margin"] * past["total"] - spent) / n
    per = [x / n for x in (whole.estimate, whole.low, whole.high)]
    behind = Money.of(past["total"], past["gross"], past["largest"], past["two_largest"])
    money = _money(group.base, found.value)

    def row(measure: str, ends: list[float], method: str, made: Money) -> dict[str, Any]:
        return estimate_row("value.per_customer_amount", *ends, n=n, unit=currency, method=method,
                            money=made, measure=measure, **dims)  # fmt: skip

    rows = [
        row("so far", [so_far] * 3, "complete count", behind),
        row("residual", per, whole.method, Money.either(money)),
        row("total", [so_far + x for x in per], whole.method, Money.either(money, behind)),
        interval_row("value.residual_amount", whole, unit=currency, money=money, measure=None,
                     **dims),
    ]  # fmt: skip
    return [*rows, _service_row(group.service, currency, **dims)] if group.service else rows


def _service_row(service: Sums, currency: str, **dims: Any) -> dict[str, Any]:
    """Row of what contacts cost per purchase so far."""
    cost = service["total"] / service["purchases"]
    money = Money.of(service["total"], service["gross"], service["largest"], service["two_largest"])
    return estimate_row(
        "value.service_amount", cost, cost, cost, n=service["purchases"], count=service["some"],
        unit=currency, method="complete count", money=money, measure=None, **dims,
    )  # fmt: skip


def _valued(
    buying: "RepeatBuying", spend: "Spend", group: _Group, how: dict[str, float]
) -> "ResidualValue":
    from cxlab.stats.customer_base import residual_value

    try:
        return residual_value(
            buying, spend, group.base, length=how["years"] * _YEAR,
            discount_rate=how["discount_rate"], periods_per_year=_YEAR, margin=how["margin"],
            cost=group.per_purchase,
        )  # fmt: skip
    except ParameterError as reason:
        if "no mean" not in str(reason):
            raise
        raise Withheld(f"Customers cannot be valued: {reason}") from reason


def _money(mine: "Histories", value: "np.ndarray[Any, Any]") -> Money:
    """How evenly an amount per customer of each history adds up."""
    worth, many = np.abs(value), mine.customers
    order = np.argsort(-worth, kind="stable")
    top = np.repeat(worth[order][:2], np.minimum(many[order][:2], 2).astype(int))[:2]
    return Money.of(float(many @ value), float(many @ worth), float(top[0]), float(top.sum()))
