"""How sure are we of shares of journeys, where persons have several.

Each cell of a table counts for every person i how many of their n_i cases lie in it, x_i.
A handful of sums over persons is enough for an interval that takes persons as the units.
"""

from typing import Any

import pandas as pd

from cxlab.data.engine import Table, view
from cxlab.report import words
from cxlab.report.finding import interval_row
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.intervals import Interval, wilson

__all__ = ["CELL", "coverage", "share_of", "share_row", "summed"]

# Of one cell: persons in it, their cases in it, and sums of squares and products; then of its
# base: persons, their cases, and the sum of squares.
CELL = ("people", "total", "total_total", "n_total", "customers", "n", "n_n")


def coverage(weight: "pd.Series[float]", shown: "pd.Series[bool]", *, of: int, what: str) -> str:
    """Tell how much of all can be read by itself: '3 of 12 moves shown (83.1% of weight)'.

    Parameters
    ----------
    weight : pandas.Series
        Of each row that could be shown, before anything was withheld.
    shown : pandas.Series
        Which of them are.
    of : int
        How many there are, also of those that have no row.
    what : str
        What they are.
    """
    seen, total = float(weight[shown].sum()), float(weight.sum())
    share = words.value(seen / total if total else 1.0, "share")
    return (
        f"{words.number(int(shown.sum()))} of {words.number(of)} {what} shown ({share} of weight)."
    )


def summed(cells: Table, *, row: str, cell: str) -> Table:
    """Sum up cells over persons.

    Parameters
    ----------
    cells : Table
        One row per person and cell: `person`, the columns of `row` and `cell`, `x`: cases of
        the person in the cell.
    row, cell : str
        Columns of the base, and those that tell its cells apart, with commas. The cells of a
        row are its whole: all x of a person in a row are the person's n.

    Returns
    -------
    Table
        The columns of `row`, of `cell`, and of `CELL`.
    """
    same = " and ".join(f"c.{name} = b.{name}" for name in (r.strip() for r in row.split(",")))
    rows, own = (", ".join(f"c.{n.strip()}" for n in part.split(",")) for part in (row, cell))
    return view(
        f"""
        with sized as (
            select {row}, {cell}, x, sum(x) over (partition by person, {row}) as n from t
        ),
        bases as (
            select {row}, count(*) as customers, sum(n) as n, sum(n * n) as n_n
            from (select person, {row}, sum(x) as n from t group by person, {row}) as p
            group by {row}
        ),
        cells as (
            select {row}, {cell}, count(*) as people, sum(x) as total, sum(x * x) as total_total,
                sum(x * n) as n_total
            from sized group by {row}, {cell}
        )
        select {rows}, {own}, c.people, c.total, c.total_total, c.n_total,
            b.customers, b.n, b.n_n
        from cells as c join bases as b on {same}
        """,
        t=cells,
    )


def share_of(cell: Any, *, level: float = 0.95) -> Interval:
    """Share of the base that lies in a cell, with Wilson's interval on the effective n.

    Parameters
    ----------
    cell : mapping
        The columns of `CELL`.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Share and ends, 0 to 1; `n` counts cases.
    """
    n, total = float(cell["n"]), float(cell["total"])
    sums = ClusterSums(
        customers=float(cell["customers"]), n=n, total=total, n_n=float(cell["n_n"]),
        n_total=float(cell["n_total"]), total_total=float(cell["total_total"]),
    )  # fmt: skip
    share = total / n
    if not sums.repeated:
        return wilson(total, n, level=level)
    return wilson(total, n, n_eff=effective_n(sums, share * (1 - share)), level=level)


def share_row(metric: str, cell: Any, **dims: object) -> dict[str, Any]:
    """Build a row of estimates for the share of one cell; its people are those in the cell."""
    return interval_row(metric, share_of(cell), unit="share", count=float(cell["people"]), **dims)
