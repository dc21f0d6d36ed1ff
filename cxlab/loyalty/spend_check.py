"""Would last cycle's forecast of what customers spend have been right?"""

from typing import Any

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, query
from cxlab.errors import ParameterError
from cxlab.loyalty.histories import purchase_days, purchase_histories, spend_counts
from cxlab.loyalty.repeat_buying import FEWEST, FEWEST_BACK, fitted
from cxlab.report.disclosure import Money
from cxlab.report.finding import estimate_row

__all__ = ["SPEND_ERROR", "spend_error"]

SPEND_ERROR = "value.holdout_spend_error"
_YEAR = 365.25


def spend_error(orders: TableLike, *, cycle: Cycle, model: str) -> dict[str, Any] | None:
    """Hold the spend of a cycle, as foretold when it began, against what came.

    Parameters
    ----------
    orders : table
        As for `purchase_days`.
    cycle : Cycle
        The cycle that is foretold, from what was known when it began.
    model : str
        Of purchases, such as 'BG/NBD'; spend per purchase is foretold by gamma-gamma.

    Returns
    -------
    dict or None
        Row of `value.holdout_spend_error`: expected spend per spend counted, less one. None
        where too little was known then, a model has no maximum, or nothing was spent.
    """
    from cxlab.stats.customer_base import fit_spend, residual_value

    before = purchase_histories(orders, cycle=cycle.previous)
    sizes = query("select count(*) as n, sum(x) as back from b", b=before.each).iloc[0]
    paid = spend_counts(before)
    if not sizes["n"] >= FEWEST or not sizes["back"] >= FEWEST_BACK or paid["x"].nunique() < 2:
        return None
    known = before.histories()
    buying, spend = fitted(known, model), fit_spend(paid["x"], paid["spend"], paid["customers"])
    if not (buying.converged and spend.converged):
        return None
    try:
        told = residual_value(
            buying, spend, known, length=float((cycle.last_day - cycle.previous.last_day).days),
            discount_rate=0.0, periods_per_year=_YEAR,
        ).total(realised=True)  # fmt: skip
    except ParameterError:  # spend has no mean
        return None
    came = query(
        """
        select count(*) as people, sum(amount) as total, sum(abs(amount)) as gross,
            max(abs(amount)) as largest,
            sum(case when nth <= 2 then abs(amount) else 0 end) as two_largest
        from (
            select amount, row_number() over (order by abs(amount) desc, customer_id) as nth
            from (
                select d.customer_id, sum(d.net) as amount
                from d join b on d.customer_id = b.customer_id
                where d.is_now = 1 group by d.customer_id
            ) as p
        ) as r
        """,
        d=purchase_days(orders, cycle=cycle),
        b=before.each,
    ).iloc[0]
    if not came["people"] or not came["total"] > 0:
        return None
    counted = float(came["total"])
    ends = [end / counted - 1 for end in (told.estimate, told.low, told.high)]
    money = Money.of(*(float(came[c]) for c in ("total", "gross", "largest", "two_largest")))
    return estimate_row(
        SPEND_ERROR, *ends, n=known.n, count=float(came["people"]), unit="share", money=money,
        method=f"{told.method}; expected per counted spend of the cycle, less one",
    )  # fmt: skip
