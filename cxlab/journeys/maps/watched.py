"""What came of journeys that were watched for so long, and when?

Each is watched from its origin to one moment that is the same for all. What had not happened
by then may still happen or never will: the journey counts as without it for as long as it was
watched (product limit), so that neither late beginners nor slow ones are taken for failures.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.engine import Table, keep, query, view
from cxlab.stats.clusters import ClusterSums, design_effect, effective_n
from cxlab.stats.intervals import Interval, wilson
from cxlab.stats.survival import SurvivalCurve, product_limit, quantile_of_reached

__all__ = ["FEWEST", "QUARTILES", "Watched", "union", "watched"]

FEWEST = 10  # journeys below which nothing is said
QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
_SECOND = 1_000_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3_600 * _SECOND, 86_400 * _SECOND

# Lengths are counted in steps that grow with them: a curve needs few rows, and loses little.
_STEP = f"""
    case when x < {10 * _MINUTE} then {5 * _SECOND} when x < {6 * _HOUR} then {_MINUTE}
        when x < {2 * _DAY} then {10 * _MINUTE} when x < {30 * _DAY} then {_HOUR}
        else {6 * _HOUR} end
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """One group: how many were watched, and when what was watched for came.

    Attributes
    ----------
    n, seen : float
        Journeys (or stays in a stage) watched, and those to which it came.
    people : float
        Persons behind those to which it came.
    """

    n: float
    seen: float
    people: float
    _counts: tuple[NDArray[np.float64], ...] = field(repr=False)  # length, seen, unseen
    _clusters: dict[str, ClusterSums] = field(repr=False)

    @property
    def enough(self) -> bool:
        """Whether anything can be said of them."""
        return self.n >= FEWEST and self._clusters["seen"].customers >= 2

    def share(self) -> Interval:
        """Share to which it comes, as far as they could be watched: a cumulative incidence."""
        sums = self._clusters["seen"]
        curve = self._curve(design_effect(sums))
        if 0 < curve.survival[-1] < 1:
            last = curve.incidence([curve.time[curve.events > 0][-1]]).iloc[0]
            return Interval(
                estimate=float(last["estimate"]), low=float(last["conf_low"]),
                high=float(last["conf_high"]), n=self.n,
                method=f"cumulative incidence; {curve.method}",
            )  # fmt: skip
        # It came to all, or to none: a curve has no error to state.
        size = effective_n(sums, sums.mean * (1 - sums.mean)) if sums.repeated else None
        return wilson(self.n if curve.survival[-1] == 0 else 0.0, self.n, n_eff=size)

    def quartile(self, measure: str, *, of_reached: bool) -> Interval:
        """Length by which a quarter, half or three quarters had it, in microseconds.

        Of those to which it comes, where it does not come to everybody in the end.
        """
        share, sums = QUARTILES[measure], self._clusters[measure]
        curve = self._curve(design_effect(sums))
        found = quantile_of_reached(curve, share) if of_reached else curve.quantile(share)
        if curve.survival[-1] > 0:
            return found
        # By the last of these times all had it, where the band has no ends.
        first, last = (float(t) for t in curve.time[curve.events > 0][[0, -1]])
        low = first if math.isinf(found.low) else found.low
        return replace(found, low=low, high=min(found.high, last))

    def _curve(self, effect: float) -> SurvivalCurve:
        length, seen, unseen = _carried(*self._counts)
        return product_limit(length, seen, unseen, design_effect=max(effect, 1.0))


def union(parts: Iterable[str]) -> str:
    """Write several selections of spans as one."""
    return " union all ".join(parts)


def watched(spans: Table) -> dict[int, Watched]:
    """Count what came when, by group.

    Parameters
    ----------
    spans : Table
        `grp` (whole number), `person_id`, `length_us` (missing where it has not come) and
        `watched_us` (how long it was watched for), whole numbers from 0 on.

    Returns
    -------
    dict of int to Watched
        By group.

    Notes
    -----
    Lengths are rounded down: below ten minutes to five seconds, below six hours to a minute,
    below two days to ten, below thirty days to an hour, else to six hours. The several journeys
    of a person are one cluster: the design effect is that of the share at each point.
    """
    rounded = keep(
        view(
            f"""
            select grp, person_id, x - x % nullif({_STEP}, 0) as length_us, seen from (
                select grp, person_id, coalesce(length_us, watched_us) as x,
                    case when length_us is not null then 1 else 0 end as seen
                from s
            ) as d
            """,
            s=spans,
        )
    )
    counts = query(
        "select grp, length_us, sum(seen) as seen, count(*) - sum(seen) as unseen from r "
        "group by grp, length_us order by grp, length_us",
        r=rounded,
        limit=10**6,
    )
    groups: dict[int, tuple[NDArray[np.float64], ...]] = {}
    for grp in counts["grp"].unique():
        mine = counts[counts["grp"] == grp]
        groups[int(grp)] = tuple(
            mine[c].to_numpy(dtype=np.float64) for c in ("length_us", "seen", "unseen")
        )
    if not groups:
        return {}
    sums = _over_people(rounded, groups).to_dict("records")
    return {
        int(row["grp"]): Watched(
            n=float(row["n"]), seen=float(row["y"]), people=float(row["people"]),
            _counts=groups[int(row["grp"])],
            _clusters={"seen": _clusters(row, "")} | {
                name: _clusters(row, str(i)) for i, name in enumerate(QUARTILES)
            },
        )
        for row in sums
    }  # fmt: skip


def _carried(
    length: NDArray[np.float64], seen: NDArray[np.float64], unseen: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """End the curve where a few stand for many.

    Where nearly all were last seen earlier, one of the last would move the curve as far as
    many of the first: from there on nobody is taken for watched.
    """
    at_risk = np.cumsum((seen + unseen)[::-1])[::-1]
    stays = np.cumprod(1 - seen / at_risk)
    before = np.concatenate([[1.0], stays[:-1]])
    thin = (seen > 0) & (at_risk < FEWEST) & (before / at_risk > 3 / at_risk[0])
    if not thin.any():
        return length, seen, unseen
    first = int(np.flatnonzero(thin)[0])
    kept = slice(0, first + 1)
    rest = unseen[kept].copy()
    rest[first], done = at_risk[first], seen[kept].copy()
    done[first] = 0.0
    return length[kept], done, rest


def _over_people(rounded: Table, groups: dict[int, tuple[NDArray[np.float64], ...]]) -> Any:
    """Sum over persons how many had it at all, and by each quartile."""
    cuts = []
    for grp, (length, seen, unseen) in groups.items():
        at = {f"q{i}": -1 for i in range(len(QUARTILES))}
        if seen.sum() > 0:
            curve = product_limit(*_carried(length, seen, unseen))
            for i, share in enumerate(QUARTILES.values()):
                if (curve.events > 0).any():
                    at[f"q{i}"] = int(quantile_of_reached(curve, share).estimate)
        cuts.append({"grp": grp, **at})
    marks = {"y": "r.seen"} | {
        f"y{i}": f"case when r.seen = 1 and r.length_us <= c.q{i} then 1 else 0 end"
        for i in range(len(QUARTILES))
    }
    each = ", ".join(f"sum({sql}) as {name}" for name, sql in marks.items())
    sums = ", ".join(
        f"sum({y}) as {y}, sum(n * {y}) as n_{y}, sum({y} * {y}) as {y}_{y}" for y in marks
    )
    return query(
        f"""
        select grp, count(*) as persons, sum(case when y > 0 then 1 else 0 end) as people,
            sum(n) as n, sum(n * n) as n_n, {sums}
        from (
            select r.grp, r.person_id, count(*) as n, {each}
            from r join c on r.grp = c.grp group by r.grp, r.person_id
        ) as p group by grp order by grp
        """,
        r=rounded,
        c=pd.DataFrame(cuts),
    )


def _clusters(row: Any, of: str) -> ClusterSums:
    y = f"y{of}"
    return ClusterSums(
        customers=float(row["persons"]), n=float(row["n"]), total=float(row[y]),
        n_n=float(row["n_n"]), n_total=float(row[f"n_{y}"]), total_total=float(row[f"{y}_{y}"]),
    )  # fmt: skip
