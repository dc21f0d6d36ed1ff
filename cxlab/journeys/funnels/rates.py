"""The rates of a funnel with their intervals, from the counts of its steps.

Only entrants whose window is over are looked at: of the others nobody knows yet whether
they will convert.
"""

from dataclasses import dataclass, replace

import pandas as pd

from cxlab.data.funnel_settings import Funnel
from cxlab.journeys.funnels.counts import FunnelCounts
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.intervals import Interval, wilson

__all__ = ["UNITS", "StepCounts", "mature_steps", "titled", "together"]

# What is counted, in the plural, by `Funnel.count_by`.
UNITS = {"person": "people", "session": "sessions", "attempt": "attempts"}


@dataclass(frozen=True, kw_only=True, eq=False)
class StepCounts:
    """How many got how far, of one group and one cycle.

    Attributes
    ----------
    steps : pandas.DataFrame
        One row per step, in order: step (its name), is_optional, before (position of the
        required step before, -1 for the first), and the sums of `FunnelCounts.reached`.
    """

    steps: pd.DataFrame

    @property
    def entrants(self) -> float:
        """Persons, sessions or attempts that entered."""
        return float(self.steps["n"].iloc[0])

    @property
    def converted(self) -> float:
        """Those of them that reached the last step."""
        return float(self.steps["n"].iloc[-1])

    @property
    def last(self) -> int:
        """Position of the last step."""
        return len(self.steps) - 1

    def persons(self, step: int) -> float:
        """People who got to a step; positions count from 0."""
        return float(self.steps["persons"].iloc[step])

    def of_entrants(self, step: int) -> Interval:
        """Share of all entrants that got to a step."""
        return _share(self.sums(step, of_entrants=True))

    def of_before(self, step: int) -> Interval | None:
        """Share of those at the required step before; None where nobody was there."""
        sums = self.sums(step)
        return _share(sums) if sums.n > 0 else None

    def sums(self, step: int, *, of_entrants: bool = False) -> ClusterSums:
        """Sums over persons behind the share of a step."""
        rows = self.steps
        row = rows.iloc[step]
        base = rows.iloc[0 if of_entrants else int(row["before"])]
        return ClusterSums(
            customers=float(base["persons"]),
            n=float(base["n"]),
            total=float(row["n"]),
            n_n=float(base["total_total"]),
            n_total=float(row["n_total" if of_entrants else "before_total"]),
            total_total=float(row["total_total"]),
        )

    @property
    def design_effect(self) -> float:
        """How many times the variance of the conversion is that of independent entrants."""
        sums = self.sums(self.last, of_entrants=True)
        return sums.n / effective_n(sums, sums.mean * (1 - sums.mean))


def mature_steps(counts: FunnelCounts) -> dict[str, StepCounts]:
    """Sort the counts of mature entrants by group; without groups the one group is ''.

    Groups come by their entrants, the largest first; those of whom nobody is mature are
    left out.
    """
    reached = counts.reached[counts.reached["is_mature"].astype(bool)]
    names = reached["group"] if counts.by else pd.Series("", index=reached.index)
    found = {
        str(name): StepCounts(steps=_in_order(rows, counts.funnel))
        for name, rows in reached.groupby(names, sort=True)
    }
    largest = sorted(found, key=lambda name: (-found[name].entrants, name))
    return {name: found[name] for name in largest if found[name].entrants > 0}


def titled(estimates: pd.DataFrame, name: str) -> pd.DataFrame:
    """Add the name of the funnel to its rows, where it has one."""
    return estimates.assign(funnel=name) if name else estimates


def together(counts: FunnelCounts) -> FunnelCounts:
    """Add the groups up; right for people, who are in one group each."""
    if counts.by is None:
        return counts
    reached, spans = counts.reached, counts.durations
    return replace(
        counts,
        by=None,
        reached=reached.drop(columns="group").groupby(["step", "is_mature"], as_index=False).sum(),
        durations=spans.drop(columns="group")
        .groupby(["span_units", "is_converted"], as_index=False)
        .sum(),
    )


def _in_order(rows: pd.DataFrame, funnel: Funnel) -> pd.DataFrame:
    """One row per step of the funnel, also of those that nobody reached."""
    numbers = range(1, len(funnel.steps) + 1)
    columns = ["n", "persons", "n_total", "total_total", "before_total"]
    out = rows.set_index("step")[columns].reindex(numbers, fill_value=0).reset_index(drop=True)
    out.insert(0, "step", [step.name for step in funnel.steps])
    out.insert(1, "is_optional", [step.optional for step in funnel.steps])
    required = [i for i, step in enumerate(funnel.steps) if not step.optional]
    out["before"] = [max((r for r in required if r < i), default=-1) for i in range(len(out))]
    return out


def _share(sums: ClusterSums) -> Interval:
    if not sums.repeated:
        return wilson(sums.total, sums.n)
    share = sums.mean
    return wilson(sums.total, sums.n, n_eff=effective_n(sums, share * (1 - share)))
