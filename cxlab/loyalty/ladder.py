"""Who is attached, who buys again, who does both or neither: attitude against behaviour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.errors import DataError, Withheld
from cxlab.loyalty.sales import standing
from cxlab.report import charts, words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.intervals import wilson

__all__ = ["BOXES", "Ladder", "ladder"]

FEWEST = 10
CONSTRUCTS = ("attachment", "nps", "intent")
# Dick and Basu's true, latent, spurious and no loyalty, named by what they hold.
TRUE, LATENT = "attached, and buy again", "attached, but hardly buy"
SPURIOUS, NONE = "buy again, but are not attached", "neither attached nor buying again"
BOXES = (TRUE, LATENT, SPURIOUS, NONE)
_DOING = {TRUE: "are attached and buy again", SPURIOUS: "buy again without being attached"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Ladder(Result):
    """Share of customers in each of four boxes, what they bought, and who changed boxes.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    days : int
        How far back attitude and behaviour are looked at.
    """

    cycle: str
    days: int
    # Boxes, their money and moves are no parts of one another.
    apart = ("metric",)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of customers in each box."""
        rows = self._rows("ladder.share")
        return charts.bars(
            rows, label="box", unit="share", low="conf_low", high="conf_high",
            axis="Share of customers who told their attitude, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many are attached and buy again, how many only buy, and what the latter bring."""
        rows = self._rows("ladder.share")
        known = {r["box"]: r for r in rows[~rows["suppressed"].astype(bool)].to_dict("records")}
        if not known:
            return f"Too few customers told their attitude by {self.cycle} to show who is loyal."
        said = []
        for box in (TRUE, SPURIOUS):
            if row := known.get(box):
                ends = words.interval(row["conf_low"], row["conf_high"], "share")
                said.append(f"{words.value(row['estimate'], 'share')} {_DOING[box]} ({ends})")
        n = words.number(next(iter(known.values()))["n"])
        told = f"Of {n} customers who told their attitude, "
        told += words.listing(said) if said else "how many are loyal is withheld"
        money = self._rows("ladder.net_amount")
        if money["suppressed"].astype(bool).any() or not money["estimate"].sum() > 0:
            return f"{told}."
        habit = float(money.loc[money["box"] == SPURIOUS, "estimate"].sum())
        share = words.value(habit / float(money["estimate"].sum()), "share")
        return f"{told}; the latter bring {share} of what all of them buy."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def ladder(
    answers: TableLike,
    orders: TableLike,
    *,
    cycle: Cycle,
    currency: str = "amount",
    attached_from: float = 0.7,
    orders_from: int = 2,
    days: int = 365,
) -> Ladder:
    """Set what customers feel for the brand against what they do.

    Parameters
    ----------
    answers : table
        `customer_id`, `answered_at`, `construct`, `value`, `scale_min`, `scale_max`, and
        `reversed` where known: those of attachment, recommendation (`nps`) and intent.
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and `status` where known.
    cycle : Cycle
        At whose end they are looked at.
    currency : str
        Unit of money.
    attached_from : float
        Mean answer, each scale stretched to 0 to 1, from which on a customer is attached.
    orders_from : int
        Orders within the time looked at from which on a customer buys again.
    days : int
        How far back attitude and behaviour are looked at.

    Returns
    -------
    Ladder
        By `box` (true, latent, spurious, none): `ladder.share` of customers who told their
        attitude, `ladder.net_amount` that they brought in that time, and by the box of as long
        before (`against`) `ladder.move_share`, of those who told it both times.

    Raises
    ------
    Withheld
        If fewer than ten customers told their attitude.
    DataError
        If an answer lies outside its scale.

    Notes
    -----
    A share has Wilson's interval, each customer counted once. Who did not answer is in no box:
    customers who answer are mostly closer to a brand than those who do not.

    References
    ----------
    Dick & Basu (1994), Journal of the Academy of Marketing Science 22(2), 99-113.
    """
    if not 0 < attached_from < 1 or orders_from < 1 or days < 1:
        raise DataError(
            "attached_from must lie between 0 and 1, orders_from and days be 1 or more, but they "
            f"are {attached_from:g}, {orders_from} and {days}."
        )
    rules: dict[str, Any] = {
        "attached_from": attached_from,
        "orders_from": orders_from,
        "days": days,
    }
    now = keep(_boxes(answers, orders, at=cycle.cutoff, **rules))
    sizes = _sizes(now)
    total = float(sizes["people"].sum())
    if total < FEWEST:
        raise Withheld(
            f"A ladder needs at least {FEWEST} customers who told their attitude in the {days} "
            f"days before the end of {cycle.name}, but {words.number(total)} did."
        )
    rows: list[dict[str, Any]] = []
    for row in sizes.to_dict("records"):
        people, amount = float(row["people"]), float(row["total"])
        dims = {"box": row["box"]}
        rows.append(interval_row("ladder.share", wilson(people, total), unit="share",
                                 count=people, **dims))  # fmt: skip
        money = Money.of(amount, row["gross"], row["largest"], row["two_largest"])
        rows.append(
            estimate_row("ladder.net_amount", amount, amount, amount, n=people, count=people,
                         unit=currency, method="complete sum", money=money, **dims)
        )  # fmt: skip
    earlier = _boxes(answers, orders, at=cycle.cutoff - timedelta(days=days), **rules)
    rows += _moves(now, keep(earlier))
    frame = pd.DataFrame(rows)
    if "against" not in frame:
        frame["against"] = None
    return Ladder(
        estimates=frame,
        subtitle=f"Share of customers by attitude and behaviour in the {days} days before the end "
        f"of {cycle.name}, %; 95% interval",
        note=f"Base: {words.plural(total, 'customer')} who answered about attachment, "
        f"recommending or intent. Attached: a mean of {attached_from:g} or more, all scales "
        f"stretched to 0 to 1; buying again: {words.plural(orders_from, 'order')} or more. Who "
        "answers is mostly closer to a brand than who does not. The model (Dick and Basu) calls "
        "them true, latent, spurious and no loyalty: names of boxes, not of what people intend.",
        cycle=cycle.name,
        days=days,
    )


def _boxes(
    answers: TableLike,
    orders: TableLike,
    *,
    at: datetime,
    attached_from: float,
    orders_from: int,
    days: int,
) -> Table:
    """Put each customer who told their attitude before a moment into a box."""
    placed = standing(orders).need("customer_id", "placed_at", "net_amount")
    given = placed.engine.table(answers).need(
        "customer_id", "answered_at", "construct", "value", "scale_min", "scale_max"
    )
    # In thousandths, so that both engines compare whole numbers.
    attached = f"f.total * 1000 >= f.n * {round(1000 * attached_from)}"
    flag = "coalesce(a.reversed, false)" if "reversed" in given.columns else "false"
    asked = keep(
        view(
            f"""
            select a.customer_id, cast(a.value as double) as value,
                cast(a.scale_min as double) as low, cast(a.scale_max as double) as high,
                case when {flag} then 1 else 0 end as turned
            from a join c on a.construct = c.construct
            where a.value is not null and a.answered_at >= $since and a.answered_at < $at
            """,
            a=given,
            c=pd.DataFrame({"construct": CONSTRUCTS}, dtype="object"),
            since=at - timedelta(days=days),
            at=at,
        )
    )
    bad = query(
        "select count(*) as n from a where coalesce(value < low or value > high or not low < high, "
        "true)",
        a=asked,
    )["n"][0]
    if bad:
        raise DataError(
            f"An answer must lie on its scale, but {bad:,} do not, or have none. Correct scale_min "
            "and scale_max, or leave the value empty."
        )
    return view(
        f"""
        with felt as (
            select customer_id, count(*) as n, sum(cast(case when turned = 1
                then high - value else value - low end / nullif(high - low, 0)
                as decimal(18, 12))) as total
            from a group by customer_id
        ),
        did as (
            select customer_id, count(*) as orders,
                sum(cast(net_amount as decimal(18, 2))) as amount
            from o where placed_at >= $since and placed_at < $at group by customer_id
        )
        select f.customer_id, coalesce(d.amount, 0) as amount, case
            when {attached} and coalesce(d.orders, 0) >= {orders_from} then '{TRUE}'
            when {attached} then '{LATENT}'
            when coalesce(d.orders, 0) >= {orders_from} then '{SPURIOUS}' else '{NONE}' end as box
        from felt as f left join did as d on f.customer_id = d.customer_id
        """,
        a=asked,
        o=placed,
        since=at - timedelta(days=days),
        at=at,
    )


def _sizes(boxes: Table) -> pd.DataFrame:
    """Count the customers of each box, and add up what they bought; all boxes stand."""
    found = query(
        """
        select box, count(*) as people, sum(amount) as total, sum(abs(amount)) as gross,
            max(abs(amount)) as largest,
            sum(case when nth <= 2 then abs(amount) else 0 end) as two_largest
        from (
            select box, amount, row_number() over (
                partition by box order by abs(amount) desc, customer_id) as nth
            from b
        ) as ranked group by box order by box
        """,
        b=boxes,
    ).set_index("box")
    return found.astype(float).reindex(list(BOXES)).fillna(0.0).reset_index(names="box")


def _moves(now: Table, before: Table) -> list[dict[str, Any]]:
    """Share of each earlier box that is in each box now, of those who told it both times."""
    found = query(
        """
        select b.box as against, n.box, count(*) as people
        from b join n on b.customer_id = n.customer_id
        group by b.box, n.box order by against, box
        """,
        b=before,
        n=now,
    )
    base = found.groupby("against")["people"].sum().astype(float)
    count = found.set_index(["against", "box"])["people"].astype(float)
    rows = []
    for was in BOXES:
        if base.get(was, 0.0) < FEWEST:
            continue
        for box in BOXES:
            people = float(count.get((was, box), 0.0))
            rows.append(
                interval_row("ladder.move_share", wilson(people, base[was]), unit="share",
                             count=people, box=box, against=was)
            )  # fmt: skip
    return rows
