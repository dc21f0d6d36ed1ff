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


def quantile_breaks(measured: Table, column: str, *, scores: int, n: int) -> Breaks:
    """Break the values of `n` rows at the quantiles 1/scores, 2/scores, ...

    >>> import pandas as pd
    >>> from cxlab.data.engine import DuckEngine
    >>> days = [1, 2, 2, 3, 5, 8, 8, 8, 20, 50]
    >>> table = DuckEngine().table(pd.DataFrame({"days": days}))
    >>> quantile_breaks(table, "days", scores=5, n=10).words()
    '2, 4.20, 8, 10.40'
    """
    places = [divmod((n - 1) * k, scores) for k in range(1, scores)]
    ranks = sorted({r + 1 for r, _ in places} | {r + 2 for r, part in places if part})
    wanted = " or ".join(f"(upto >= {r} and upto - n < {r})" for r in ranks)
    picked = query(
        f"""
        with counted as (
            select {column} as x, count(*) as n from measured
            where {column} is not null group by {column}
        ),
        ranked as (select x, n, sum(n) over (order by x) as upto from counted)
        select cast(x as varchar) as x, n, cast(upto as bigint) as upto
        from ranked where {wanted} order by upto
        """,
        measured=measured,
    )
    at: dict[int, Fraction] = {}
    for x, count, upto in zip(picked["x"], picked["n"], picked["upto"], strict=True):
        at |= {r: Fraction(x) for r in ranks if upto - count < r <= upto}
    points = []
    for rank, part in places:
        low = at[rank + 1]
        points.append(low + Fraction(part, scores) * (at[rank + 2] - low) if part else low)
    return Breaks(column, tuple(points))


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
