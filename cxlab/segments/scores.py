"""Where are a measure's values cut into scores?

A score is 1 plus the number of break points strictly below a value, so equal values
always get equal scores, whatever the order of rows. Break points are type-7 quantiles
(Hyndman & Fan 1996, The American Statistician 50, 361-365), or declared cuts. They
are made from a few order statistics that the engine picks out of grouped counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pandas as pd

from cxlab.data.engine import Table, query
from cxlab.errors import ParameterError

__all__ = ["Breaks", "declared_breaks", "quantile_breaks"]


@dataclass(frozen=True)
class Breaks:
    """Break points of one measure, from low to high; equal ones stay apart."""

    column: str
    points: tuple[Fraction, ...]

    @property
    def levels(self) -> int:
        """How many scores there can be."""
        return len(self.points) + 1

    def sql(self, *, reverse: bool) -> str:
        """Write the score as SQL; reversed where a low value is the good one."""
        # Values are whole or DECIMAL(18, 4): none lies between a break point and the next
        # lower step of 0.0001, so this comparison is exact in any engine.
        steps = " + ".join(
            f"(case when {self.column} > cast('{_floor(p)}' as decimal(18, 4)) then 1 else 0 end)"
            for p in self.points
        )
        return f"{self.levels} - ({steps or 0})" if reverse else f"1 + {steps or 0}"

    def words(self) -> str:
        """List the break points, as they are printed in a note."""
        return ", ".join(f"{float(p):,.2f}".removesuffix(".00") for p in self.points)


def quantile_breaks(measured: Table, columns: Sequence[str], *, scores: int) -> list[Breaks]:
    """Break each column at its quantiles 1/scores, 2/scores, ...; none where it is empty.

    The columns hold whole numbers or DECIMAL(18, 4).

    >>> from cxlab.data.engine import DuckEngine
    >>> days = [1, 2, 2, 3, 5, 8, 8, 8, 20, 50]
    >>> table = DuckEngine().table(pd.DataFrame({"days": days}))
    >>> quantile_breaks(table, ["days"], scores=5)[0].words()
    '2, 4.20, 8, 10.40'
    """
    counted = " union all ".join(
        f"select {i} as measure, cast({c} as decimal(18, 4)) as x, count(*) as n "
        f"from kept where {c} is not null group by {c}"
        for i, c in enumerate(columns)
    )
    # Rank r, from 0, is the k-th break point's lower neighbour where
    # r * scores <= (total - 1) * k < (r + 1) * scores; the next rank is its upper one.
    wanted = " or ".join(
        f"((upto - n - {up}) * {scores} <= (total - 1) * {k} "
        f"and (total - 1) * {k} < (upto - {up}) * {scores})"
        for k in range(1, scores)
        for up in (0, 1)
    )
    picked = query(
        f"""
        with kept as (select {", ".join(columns)} from measured),
        counted as ({counted}),
        ranked as (
            select measure, x, n, sum(n) over (partition by measure order by x) as upto,
                sum(n) over (partition by measure) as total
            from counted
        )
        select measure, cast(x as varchar) as x, cast(n as bigint) as n,
            cast(upto as bigint) as upto, cast(total as bigint) as total
        from ranked where {wanted} order by measure, upto
        """,
        measured=measured,
    )
    return [
        Breaks(column, _points(picked[picked["measure"] == i], scores))
        for i, column in enumerate(columns)
    ]


def _points(picked: pd.DataFrame, scores: int) -> tuple[Fraction, ...]:
    """Interpolate between neighbours, in fractions: no rounding moves a break point."""
    if picked.empty:
        return ()
    ranges = [
        (upto - n, upto, Fraction(x))
        for x, n, upto in zip(picked["x"], picked["n"], picked["upto"], strict=True)
    ]

    def value(rank: int) -> Fraction:
        return next(x for below, upto, x in ranges if below <= rank < upto)

    points = []
    for k in range(1, scores):
        rank, part = divmod((int(picked["total"].iloc[0]) - 1) * k, scores)
        low = value(rank)
        points.append(low + Fraction(part, scores) * (value(rank + 1) - low) if part else low)
    return tuple(points)


def declared_breaks(column: str, cuts: Sequence[float], *, name: str) -> Breaks:
    """Break the values at declared cuts.

    Raises
    ------
    ParameterError
        If there are none or more than nine, or they do not rise.
    """
    points = tuple(Fraction(str(cut)) for cut in cuts)
    if not 1 <= len(points) <= 9 or any(b <= a for a, b in pairwise(points)):
        raise ParameterError(
            f"The cuts of {name} must be one to nine rising numbers, but are {list(cuts)}."
        )
    return Breaks(column, points)


def _floor(point: Fraction) -> Decimal:
    """Return the last step of 0.0001 at or below a point, exactly."""
    return Decimal(point * 10_000 // 1).scaleb(-4)
