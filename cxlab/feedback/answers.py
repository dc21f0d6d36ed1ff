"""What was answered in a cycle and the one before, as sums that are enough for every rating.

The answers stay in the engine. Three short tables leave it: how often each value was
given, sums over customers, and, where customers answered in both cycles, how many
customers there are of each kind.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, query, view
from cxlab.errors import DataError, Withheld
from cxlab.feedback.marks import Marks, sum_marks

__all__ = ["FEWEST", "Answers", "read_answers"]

FEWEST = 10  # answers below which no interval is trusted

_COLUMNS = ("customer_id", "answered_at", "construct", "value", "scale_min", "scale_max")

_IN_CYCLES = """
select
  customer_id, {group} as answer_group,
  case when answered_at >= $start then 1 else 0 end as is_now,
  cast(value as double) as value,
  cast(scale_min as double) as scale_min,
  cast(scale_max as double) as scale_max,
  case when {reversed} then 1 else 0 end as is_reversed
from answers
where construct = $construct and answered_at >= $start_before and answered_at < $cutoff
"""

_COUNTS = """
select answer_group, is_now, value, scale_min, scale_max, is_reversed, count(*) as n
from answers
group by answer_group, is_now, value, scale_min, scale_max, is_reversed
order by answer_group, is_now, value, scale_min, scale_max, is_reversed
"""


_GIVERS = """
select case when is_reversed = 1 then scale_min + scale_max - value else value end as score,
  count(distinct customer_id) as customers
from answers
where is_now = 1 and value is not null
group by 1
order by 1
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """The answers to one construct in a cycle and the one before.

    Attributes
    ----------
    rows : Table
        One row per answer, in the engine.
    counts : pandas.DataFrame
        `answer_group`, `is_now`, `value`, `is_reversed`, `score` and `n`; valid answers
        only. A reversed question's score is turned, so that more is always better.
    missing : int
        Answers of this cycle without a value; they are in no denominator.
    scale : tuple of float
        Least and greatest value that could be given in this cycle.
    scale_before : tuple of float or None
        The same in the cycle before; None where nothing was answered.
    by : str or None
        Name of the grouping.
    """

    rows: Table
    counts: pd.DataFrame
    missing: int
    scale: tuple[float, float]
    scale_before: tuple[float, float] | None
    by: str | None

    def groups(self) -> list[str]:
        """List the groups with a valid answer in this cycle; one unnamed group without `by`."""
        now = self.counts[self.counts["is_now"] == 1]
        return sorted(now["answer_group"].unique())

    def scores(self, group: str) -> pd.Series:
        """How often each score was given in this cycle, indexed by score."""
        return self._scores(group, is_now=1)

    def scores_before(self, group: str) -> pd.Series:
        """How often each score was given in the cycle before, indexed by score."""
        return self._scores(group, is_now=0)

    def _scores(self, group: str, *, is_now: int) -> pd.Series:
        chosen = self.counts[
            (self.counts["answer_group"] == group) & (self.counts["is_now"] == is_now)
        ]
        return chosen.groupby("score")["n"].sum()

    def givers(self) -> pd.Series:
        """How many customers gave each score in this cycle, indexed by score."""
        return query(_GIVERS, answers=self.rows).set_index("score")["customers"]

    def marked(self, mark: Callable[[pd.Series], pd.Series]) -> Marks:
        """Sum over customers what their answers count.

        `mark` turns scores into what is averaged: 1 for a top answer and 0 for others,
        100, 0 and -100 for a Net Promoter Score, or the score itself.
        """
        key = ["value", "is_reversed", "is_now"]
        marks = self.counts.assign(mark=mark(self.counts["score"]).astype("float64"))
        marks = marks[[*key, "mark"]].drop_duplicates(key)
        return sum_marks(self.rows, marks)


def read_answers(
    answers: TableLike, construct: str, *, cycle: Cycle, by: str | TableLike | None = None
) -> Answers:
    """Count what was answered to one construct in a cycle and the one before.

    Parameters
    ----------
    answers : table
        The table `answers`, or its columns that are needed here.
    construct : str
        One of the closed list: nps, csat, ces, ...
    cycle : Cycle
        Which cycle; the one before is read for comparison.
    by : str or table, optional
        Grouping (see `cxlab.data.engine.grouped`).

    Returns
    -------
    Answers
        Counts in pandas, rows in the engine.

    Raises
    ------
    Withheld
        If there are fewer than 10 valid answers in the cycle.
    DataError
        If the cycle mixes scales, or a value lies outside its scale.
    """
    rows, name = (answers, None) if by is None else grouped(answers, by)
    columns = rows.columns if isinstance(rows, Table) else _names(rows)
    _need(columns)
    quoted = '"' + (name or "").replace('"', '""') + '"'
    sql = _IN_CYCLES.format(
        group="''" if name is None else quoted,
        reversed="coalesce(reversed, false)" if "reversed" in columns else "false",
    )
    found = view(
        sql,
        answers=rows,
        construct=construct,
        start=cycle.start,
        start_before=cycle.previous.start,
        cutoff=cycle.cutoff,
    )
    counts = query(_COUNTS, answers=found)
    given = counts["value"].notna()
    now = counts["is_now"] == 1
    _enough(int(counts.loc[given & now, "n"].sum()), construct, cycle)
    scale = _scale(counts[given & now], construct, cycle.name)
    assert scale is not None  # noqa: S101  (there are answers)
    valid = counts[given].reset_index(drop=True)
    valid["score"] = np.where(
        valid["is_reversed"] == 1,
        valid["scale_min"] + valid["scale_max"] - valid["value"],
        valid["value"],
    )
    return Answers(
        rows=found,
        counts=valid,
        missing=int(counts.loc[~given & now, "n"].sum()),
        scale=scale,
        scale_before=_scale(counts[given & ~now], construct, cycle.previous.name),
        by=name,
    )


def _scale(counts: pd.DataFrame, construct: str, period: str) -> tuple[float, float] | None:
    """Return the one scale of a period, and refuse several or values outside it."""
    if counts.empty:
        return None
    per_scale = counts.groupby(["scale_min", "scale_max"], dropna=False)["n"].sum()
    if len(per_scale) > 1:
        listed = "; ".join(
            f"{row.scale_min:g} to {row.scale_max:g} ({row.n:,} answers)"
            for row in per_scale.reset_index().itertuples()
        )
        raise DataError(
            f"{construct} must be asked on one scale, but in {period} has {listed}. "
            "Map each question to its own construct, or convert it first."
        )
    low, high = float(counts["scale_min"].iloc[0]), float(counts["scale_max"].iloc[0])
    if not low < high:
        raise DataError(
            f"{construct} needs a scale whose least value is below its greatest, but in "
            f"{period} has {low:g} to {high:g}. Correct scale_min and scale_max."
        )
    outside = counts[~counts["value"].between(low, high)]
    if len(outside):
        raise DataError(
            f"{construct} must lie between {low:g} and {high:g}, but {outside['n'].sum():,} "
            f"answers in {period} do not, among them {outside['value'].iloc[0]:g}. "
            "Leave 'not applicable' without a value."
        )
    return low, high


def _enough(n: int, construct: str, cycle: Cycle) -> None:
    if n == 0:
        raise Withheld(f"Nobody answered a question on {construct} in {cycle.name}.")
    if n < FEWEST:
        raise Withheld(
            f"Too few answers: {construct} in {cycle.name} has {n}, and no interval below "
            f"{FEWEST} is to be trusted."
        )


def _names(rows: TableLike) -> tuple[str, ...]:
    found = rows.columns if isinstance(rows, pd.DataFrame) else rows.column_names  # type: ignore[union-attr]
    return tuple(str(name) for name in found)


def _need(columns: tuple[str, ...]) -> None:
    if missing := [c for c in _COLUMNS if c not in columns]:
        raise DataError(
            f"answers has no column {missing[0]!r}, only {list(columns)}. Map it first."
        )
