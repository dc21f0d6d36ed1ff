"""The middle half of many lengths of time, found in the engine, with honest intervals.

A length is counted in steps that grow with it, and the cut points are read off the counts.
Several stays of one person resemble each other: what they are worth together is found by
linearising the share at each cut point over persons (Woodruff 1952).
"""

from typing import Any

import numpy as np
import pandas as pd

from cxlab.data.engine import Table, keep, query, view
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.intervals import Interval
from cxlab.stats.order_statistics import binomial_quantile

__all__ = ["QUARTILES", "quartiles"]

QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
_MINUTE, _HOUR, _DAY = 60_000_000, 3_600_000_000, 86_400_000_000

_STEP = f"""
    case when length_us < {6 * _HOUR} then {_MINUTE} when length_us < {2 * _DAY} then {10 * _MINUTE}
        when length_us < {30 * _DAY} then {_HOUR} else {6 * _HOUR} end
"""

_CUMULATED = """
select grp, length_us, sum(n) over (partition by grp order by length_us
        rows between unbounded preceding and current row) as upto,
    sum(n) over (partition by grp) as total
from (select grp, length_us, count(*) as n from s group by grp, length_us) as c
"""


def quartiles(stays: Table, *, level: float = 0.95) -> pd.DataFrame:
    """Find the quartiles of lengths of time by group.

    Parameters
    ----------
    stays : Table
        `grp` (whole number), `person_id`, `length_us` (0 or more).
    level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per group and measure: `grp`, `measure`, `found` (an `Interval` in
        microseconds), `people`.

    Notes
    -----
    Lengths are rounded down: below six hours to a minute, below two days to ten, below thirty
    days to an hour, else to six hours.

    References
    ----------
    Woodruff (1952), Journal of the American Statistical Association 47, 635-646.
    """
    # Kept, since four questions are asked of it.
    rounded = keep(
        view(
            "select grp, person_id, "
            f"length_us - length_us % nullif({_STEP}, 0) as length_us from s",
            s=stays,
        )
    )
    counts = view(_CUMULATED, s=rounded)
    cuts = query(
        f"""
        select grp, max(total) as n, {
            ", ".join(
                f"min(case when upto >= {q} * total then length_us end) as q{i}"
                for i, q in enumerate(QUARTILES.values())
            )
        }
        from c group by grp order by grp
        """,
        c=counts,
    )
    if cuts.empty:
        return pd.DataFrame(columns=["grp", "measure", "found", "people"])
    sums = _over_people(rounded, cuts).merge(cuts, on="grp", validate="one_to_one")
    wanted = [_ranks(row, i, q, level) for row in sums.to_dict("records")
              for i, q in enumerate(QUARTILES.values())]  # fmt: skip
    ends = query(
        """
        select r.grp, r.i, min(case when c.upto >= r.low then c.length_us end) as low_us,
            min(case when c.upto >= r.high then c.length_us end) as high_us
        from c join r on c.grp = r.grp group by r.grp, r.i order by r.grp, r.i
        """,
        c=counts,
        r=pd.DataFrame(wanted),
    )
    found = ends.merge(sums, on="grp", validate="many_to_one")
    rows = []
    for row in found.to_dict("records"):
        made = Interval(
            estimate=float(row[f"q{row['i']}"]), low=float(row["low_us"]),
            high=float(row["high_us"]), n=float(row["n"]), level=level,
            method="interval between order statistics, persons as clusters",
        )  # fmt: skip
        measure = list(QUARTILES)[row["i"]]
        rows.append({"grp": row["grp"], "measure": measure, "found": made, "people": row["people"]})
    return pd.DataFrame(rows)


def _over_people(stays: Table, cuts: pd.DataFrame) -> pd.DataFrame:
    """Sum over persons how many of their stays are at or below each cut point."""
    count = range(len(QUARTILES))
    return query(
        f"""
        select grp, count(*) as people, sum(n * n) as n_n,
            {
            ", ".join(
                f"sum(y{i}) as y{i}, sum(n * y{i}) as n_y{i}, sum(y{i} * y{i}) as yy{i}"
                for i in count
            )
        }
        from (
            select s.grp, s.person_id, count(*) as n, {
            ", ".join(
                f"sum(case when s.length_us <= c.q{i} then 1 else 0 end) as y{i}" for i in count
            )
        }
            from s join c on s.grp = c.grp group by s.grp, s.person_id
        ) as p
        group by grp order by grp
        """,
        s=stays,
        c=cuts,
    )


def _ranks(row: dict[Any, Any], i: int, share: float, level: float) -> dict[str, int]:
    """Between which of the ordered stays the cut point of all lies."""
    n = float(row["n"])
    sums = ClusterSums(
        customers=float(row["people"]), n=n, total=float(row[f"y{i}"]), n_n=float(row["n_n"]),
        n_total=float(row[f"n_y{i}"]), total_total=float(row[f"yy{i}"]),
    )  # fmt: skip
    size = max(effective_n(sums, sums.mean * (1 - sums.mean)), 1.0)
    whole = int(np.floor(size))
    below, above = (binomial_quantile(p, whole, share) for p in ((1 - level) / 2, (1 + level) / 2))
    low = max(1, int(np.floor(n * below / whole)))
    return {"grp": row["grp"], "i": i, "low": low, "high": min(int(n), int(n * above / whole) + 1)}
