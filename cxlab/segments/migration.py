"""Who moved from which segment to which, and how much revenue moved with them?

Two tables of members, of the cycle before and of this one, make a square matrix. Who
is in one of them only comes from, or goes to, outside.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.errors import DataError, Withheld
from cxlab.report import disclosure, words
from cxlab.report.disclosure import Money, Policy
from cxlab.report.finding import Result, interval_row
from cxlab.segments.purchases import customer_days
from cxlab.segments.rows import protect_moves, worth_drawing

__all__ = ["GONE", "NOT_YET", "Migration", "migration"]

NOT_YET = "not yet a customer"
GONE = "no longer a customer"
_LARGEST = ("gross", "largest", "two_largest")


@dataclass(frozen=True, kw_only=True, eq=False)
class Migration(Result):
    """A matrix of segments before (rows) and now (columns)."""

    def table(self) -> pd.DataFrame:
        """Share and money of each pair of segments, one row per pair."""
        share, money = self._rows("share"), self._rows("amount")
        frame = share.drop(columns=["metric", "method", "count"])
        frame.insert(2, "customers", share["count"])
        # both hold the same pairs in the same order
        return frame.assign(net_amount=money["estimate"])

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells, and what would give them away."""
        axes, outside = ("from_segment", "to_segment"), frozenset({NOT_YET, GONE})
        safe = protect_moves(self.estimates, rules, axes=axes, outside=outside, base_is_row=True)
        if _tells_of_stayers(self.estimates, safe):
            stayed = safe["metric"] == "customers.stayed_share"
            safe = disclosure.blank(safe, safe["suppressed"].to_numpy(bool) | stayed.to_numpy())
        return replace(self, estimates=safe)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each row that went to each column."""
        from cxlab.report import charts

        cells = worth_drawing(self._rows("share"), "from_segment", "to_segment")
        return charts.heatmap(cells, row="from_segment", column="to_segment", unit="share", ax=ax)

    def sentence(self) -> str:
        """Say how many stayed, and which move was the largest."""
        stayed = self.estimates[self.estimates["metric"] == "customers.stayed_share"]
        said = "How many stayed in their segment is withheld, since it would tell of a few"
        if len(stayed) and pd.notna(stayed["estimate"].iloc[0]):
            row = stayed.iloc[0]
            said = (
                f"{words.value(row['estimate'], 'share')} of {words.plural(row['n'], 'customer')} "
                "stayed in their segment"
            )
        moves = self._rows("share").dropna(subset="estimate")
        moves = moves[
            (moves["from_segment"] != moves["to_segment"])
            & (moves["from_segment"] != NOT_YET)
            & (moves["count"] > 0)
        ]
        if moves.empty:
            return f"{said}."
        top = moves.sort_values("count", kind="stable").iloc[-1]
        return (
            f"{said}; the largest move is from {top['from_segment']} to {top['to_segment']}, "
            f"{words.value(top['estimate'], 'share')} of those who were there."
        )

    def _rows(self, name: str) -> pd.DataFrame:
        inner = [c for c in self.estimates.columns if c.startswith("_")]
        rows = self.estimates[self.estimates["metric"] == f"customers.migration_{name}"]
        return rows.drop(columns=inner).reset_index(drop=True)


def migration(
    before: TableLike,
    after: TableLike,
    *,
    orders: TableLike,
    cycle: Cycle,
    currency: str = "amount",
    order: Sequence[str] = (),
) -> Migration:
    """Cross the segments of one cycle with those of the next.

    Parameters
    ----------
    before, after : table
        `customer_id` and one column of segments, one row per customer.
    orders : table
        `customer_id`, `placed_at`, `net_amount`: for the net revenue of the cycle.
    cycle : Cycle
        The cycle between the two.
    currency : str
        Unit of money.
    order : sequence of str
        Segments in the order of rows and columns; those not named follow by name.

    Returns
    -------
    Migration
        Share of each row with its Wilson interval; net revenue of the cycle that the
        customers of each cell brought, with a compound Poisson interval; and the share
        of all who stayed.

    Raises
    ------
    DataError
        If a customer is twice in a table, or a table has no column of segments.
    Withheld
        If nobody was in a segment before.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> before = pd.DataFrame({"customer_id": ["a", "b"], "segment": ["good", "good"]})
    >>> after = pd.DataFrame({"customer_id": ["a", "b"], "segment": ["good", "fair"]})
    >>> orders = pd.DataFrame({"customer_id": ["a"], "net_amount": [5.0],
    ...                        "placed_at": pd.to_datetime(["2018-02-01"])})
    >>> migration(before, after, orders=orders, cycle=parse_cycle("2018Q1")).sentence()[:51]
    '50.0% of 2 customers stayed in their segment; the l'
    """
    before_, after_, orders_ = in_one_engine(before, after, orders)
    cells = _cells(_segments(before_), _segments(after_), orders_, cycle)
    known = cells[(cells["from_segment"] != NOT_YET) & (cells["to_segment"] != GONE)]
    if known.empty:
        raise Withheld(
            f"Migration needs customers with a segment before {cycle.name}, but there are none."
        )
    return Migration(
        estimates=_estimates(cells, known, currency, order),
        subtitle=f"Customers by segment at the start (rows) and the end (columns) of {cycle.name}; "
        "share of each row.",
        note=f"Rows add up to all who were in a segment at the start. Money is net revenue "
        f"of {cycle.name} from the customers of the cell. The picture leaves out rows and "
        "columns that are withheld throughout.",
    )


def _segments(members: Table) -> Table:
    """Return customer_id, segment, one row per customer."""
    names = [c for c in members.need("customer_id").columns if c != "customer_id"]
    if len(names) != 1:
        raise DataError(
            f"A table of members must have customer_id and one column of segments, but has {names}."
        )
    twice = query(
        """
        select count(*) as n from (
            select customer_id from m group by customer_id having count(*) > 1
        ) as d
        """,
        m=members,
    )["n"][0]
    if twice:
        raise DataError(f"Each customer must be in one segment, but {twice} are in several.")
    return view(
        f'select cast(customer_id as varchar) as customer_id, cast("{names[0]}" as varchar) '
        "as segment from m",
        m=members,
    )


def _cells(before: Table, after: Table, orders: Table, cycle: Cycle) -> pd.DataFrame:
    """Customers, net revenue and its sum of squares by pair of segments."""
    return query(
        """
        with spent as (
            select customer_id, cast(sum(net_amount) as decimal(19, 2)) as net
            from days group by customer_id
        ),
        moved as (
            select coalesce(b.customer_id, a.customer_id) as customer_id,
                case when b.customer_id is null then $not_yet
                    else coalesce(b.segment, 'not known') end as from_segment,
                case when a.customer_id is null then $gone
                    else coalesce(a.segment, 'not known') end as to_segment
            from before as b full join after as a on b.customer_id = a.customer_id
        ),
        ranked as (
            select m.from_segment, m.to_segment, coalesce(s.net, 0) as net,
                row_number() over (
                    partition by m.from_segment, m.to_segment
                    order by abs(coalesce(s.net, 0)) desc, m.customer_id
                ) as place
            from moved as m left join spent as s on m.customer_id = s.customer_id
        )
        select from_segment, to_segment, count(*) as customers, sum(net) as net_amount,
            sum(net * net) as net_amount_squares, sum(abs(net)) as gross,
            max(abs(net)) as largest,
            sum(case when place <= 2 then abs(net) else 0 end) as two_largest
        from ranked group by from_segment, to_segment
        order by from_segment, to_segment
        """,
        before=before,
        after=after,
        days=customer_days(orders, at=cycle.cutoff, start=cycle.start),
        not_yet=NOT_YET,
        gone=GONE,
    )


def _estimates(
    cells: pd.DataFrame, known: pd.DataFrame, currency: str, order: Sequence[str]
) -> pd.DataFrame:
    from cxlab.stats.counts import poisson_total
    from cxlab.stats.intervals import wilson

    shares, money = [], []
    for cell in _square(cells, order).to_dict("records"):
        pair = {"from_segment": cell["from_segment"], "to_segment": cell["to_segment"]}
        size = float(cell["customers"])
        found = wilson(size, float(cell["row_total"]))
        shares.append(
            interval_row("customers.migration_share", found, unit="share", count=size, **pair)
        )
        total = poisson_total(cell["net_amount"], cell["net_amount_squares"], n=size)
        money.append(
            interval_row(
                "customers.migration_amount",
                total,
                unit=currency,
                count=size,
                # No sums of it are told anywhere, so nothing follows from its neighbours.
                money=Money.of(math.nan, *(cell[c] for c in _LARGEST)),
                **pair,
            )
        )
    everybody = float(known["customers"].sum())
    stayed = float(known.loc[known["from_segment"] == known["to_segment"], "customers"].sum())
    row = interval_row(
        "customers.stayed_share", wilson(stayed, everybody), unit="share", count=stayed
    )
    return pd.DataFrame([*shares, *money, row])


def _tells_of_stayers(estimates: pd.DataFrame, safe: pd.DataFrame) -> bool:
    """Tell whether one withheld cell of those who stayed is what all of them lack."""
    stayers = estimates["from_segment"] == estimates["to_segment"]
    stayers &= estimates["metric"] == "customers.migration_share"
    hidden = estimates["count"][stayers & safe["suppressed"].astype(bool)]
    return (hidden > 0).sum() == 1


def _square(cells: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Fill in the pairs that nobody took, in one order for rows and columns."""
    sizes = cells.groupby("from_segment")["customers"].sum()
    found = {*cells["from_segment"], *cells["to_segment"]} - {NOT_YET, GONE}
    names = [*(name for name in order if name in found), *sorted(found - set(order))]
    rows = [name for name in (*names, NOT_YET) if sizes.get(name, 0)]
    columns = [*names, *([GONE] if (cells["to_segment"] == GONE).any() else [])]
    every = pd.MultiIndex.from_product([rows, columns], names=["from_segment", "to_segment"])
    full = cells.set_index(["from_segment", "to_segment"]).reindex(every, fill_value=0)
    return full.reset_index().assign(
        row_total=lambda f: f.groupby("from_segment")["customers"].transform("sum")
    )
