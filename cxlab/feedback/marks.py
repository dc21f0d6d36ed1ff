"""What answers count, summed over customers: enough for an interval that knows who is who."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from cxlab.data.engine import Table, query, view
from cxlab.errors import DataError
from cxlab.stats.clusters import ClusterSums, covariance

__all__ = ["Marks", "sum_marks"]

# One row per customer and group. Marks are decimals, so that sums are exact in any order.
# DuckDB multiplies decimals of 18 digits into 18 again; 19 makes room, and fits Spark's 38.
_CUSTOMERS = """
select
  answers.answer_group, answers.customer_id,
  sum(answers.is_now) as n_now,
  cast(sum(answers.is_now * cast(marks.mark as decimal(18, 4))) as decimal(18, 4)) as total_now,
  sum(1 - answers.is_now) as n_before,
  cast(sum((1 - answers.is_now) * cast(marks.mark as decimal(18, 4))) as decimal(18, 4))
    as total_before
from answers
join marks
  on answers.value = marks.value and answers.is_reversed = marks.is_reversed
  and answers.is_now = marks.is_now
group by answers.answer_group, answers.customer_id
"""

_SUMS = """
select
  answer_group,
  sum(case when n_now > 0 then 1 else 0 end) as customers_now,
  sum(n_now) as n_now, sum(total_now) as total_now,
  sum(n_now * n_now) as n_n_now, sum(n_now * total_now) as n_total_now,
  sum(cast(total_now as decimal(19, 4)) * total_now) as total_total_now,
  sum(case when n_before > 0 then 1 else 0 end) as customers_before,
  sum(n_before) as n_before, sum(total_before) as total_before,
  sum(n_before * n_before) as n_n_before, sum(n_before * total_before) as n_total_before,
  sum(cast(total_before as decimal(19, 4)) * total_before) as total_total_before,
  count(*) as customers,
  sum(case when n_now > 0 and n_before > 0 then 1 else 0 end) as customers_both,
  sum(n_now * n_before) as n_n, sum(n_now * total_before) as n_total,
  sum(total_now * n_before) as total_n,
  sum(cast(total_now as decimal(19, 4)) * total_before) as total_total
from customers
group by answer_group
order by answer_group
"""

_KINDS = """
select answer_group, n_now, total_now, n_before, total_before, count(*) as customers
from customers
group by answer_group, n_now, total_now, n_before, total_before
order by answer_group, n_now, total_now, n_before, total_before
"""


@dataclass(frozen=True, eq=False)
class Marks:
    """What each answer counts, summed over customers: see `ClusterSums`."""

    sums: pd.DataFrame  # one row per group, indexed by it
    customers: Table

    def now(self, group: str) -> ClusterSums:
        """Take the sums over the customers of a group in this cycle."""
        return self._of(group, "now")

    def before(self, group: str) -> ClusterSums:
        """Take the sums over the customers of a group in the cycle before."""
        return self._of(group, "before")

    def _of(self, group: str, when: str) -> ClusterSums:
        names = ("customers", "n", "total", "n_n", "n_total", "total_total")
        columns = [f"{name}_{when}" for name in names]
        values = self.sums.loc[[group], columns].to_numpy(dtype="float64")[0]
        return ClusterSums(**dict(zip(names, values.tolist(), strict=True)))

    def covariance(self, group: str) -> float:
        """Covariance of the two cycles' means, through customers who answered in both."""
        names = ["customers", "n_n", "n_total", "total_n", "total_total"]
        values = self.sums.loc[[group], names].to_numpy(dtype="float64")[0]
        products = dict(zip(names, values.tolist(), strict=True))
        return covariance(self.now(group), self.before(group), **products)

    def both(self, group: str) -> int:
        """Count the customers of a group who answered in both cycles."""
        return int(self.sums.loc[[group], "customers_both"].iloc[0])

    @cached_property
    def kinds(self) -> pd.DataFrame | None:
        """Count the customers of each kind; None where they are too many to leave."""
        try:
            return query(_KINDS, customers=self.customers).set_index("answer_group")
        except DataError:  # more kinds than an answer may have rows
            return None


def sum_marks(answers: Table, marks: pd.DataFrame) -> Marks:
    """Sum over customers what their answers count.

    Parameters
    ----------
    answers : Table
        One row per answer: `answer_group`, `customer_id`, `is_now`, `value`,
        `is_reversed`.
    marks : pandas.DataFrame
        `value`, `is_reversed`, `is_now` and `mark`: what such an answer counts. Answers
        without a mark are left out.

    Returns
    -------
    Marks
        Sums per group.
    """
    customers = view(_CUSTOMERS, answers=answers, marks=marks)
    return Marks(query(_SUMS, customers=customers).set_index("answer_group"), customers)
