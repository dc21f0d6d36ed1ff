"""How an answer is scored, and how sure we are of the mean of the scores.

A top-box share, a mean and a Net Promoter Score are all means of what each answer
counts. They differ in the interval that stays honest when answers are few, agree, or
come from the same customers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from cxlab.feedback.marks import Marks
from cxlab.stats.clusters import ClusterSums, cluster_difference, cluster_mean, effective_n
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval, constant_mean, wilson
from cxlab.stats.promoters import nps_adjusted_wald, nps_variance
from cxlab.stats.resampling import bootstrap_change

__all__ = ["Measure", "change_of", "interval_of", "mean_score", "promoter_score", "top_box"]

Kind = Literal["share", "mean", "nps"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number made from scores, and the metrics under which it goes on record."""

    metric: str
    change: str
    kind: Kind
    unit: str
    about: str  # what it is, for `method`
    scale: tuple[float, float]
    mark: Callable[[pd.Series], pd.Series]  # scores to what is averaged


def top_box(metric: str, change: str, scale: tuple[float, float]) -> Measure:
    """Share of answers in the top two points of the scale."""
    least = scale[1] - 1
    about = f"top two points of {scale[0]:g} to {scale[1]:g}"
    return Measure(
        metric=metric, change=change, kind="share", unit="share", about=about, scale=scale,
        mark=lambda scores: (scores >= least).astype("float64"),
    )  # fmt: skip


def mean_score(metric: str, change: str, scale: tuple[float, float]) -> Measure:
    """Mean of the scores, in points of the scale."""
    return Measure(
        metric=metric, change=change, kind="mean", unit="points", scale=scale,
        about=f"mean on {scale[0]:g} to {scale[1]:g}", mark=lambda scores: scores,
    )  # fmt: skip


def promoter_score(metric: str, change: str) -> Measure:
    """Share of promoters (9 to 10) minus detractors (0 to 6), in points per 100 answers."""

    def mark(scores: pd.Series) -> pd.Series:
        return 100.0 * ((scores >= 9).astype("float64") - (scores <= 6).astype("float64"))

    about = "promoters (9, 10) minus detractors (0 to 6)"
    return Measure(
        metric=metric, change=change, kind="nps", unit="nps", about=about, scale=(0, 10), mark=mark
    )


def interval_of(measure: Measure, sums: ClusterSums, scores: pd.Series) -> Interval:
    """Estimate one measure from sums over customers and the counts of scores."""
    if measure.kind == "share":
        size = effective_n(sums, sums.mean * (1 - sums.mean))
        return wilson(sums.total, sums.n, n_eff=size if sums.repeated else None)
    if measure.kind == "nps":
        promoters = float(scores[scores.index >= 9].sum())
        detractors = float(scores[scores.index <= 6].sum())
        groups = (promoters, sums.n - promoters - detractors, detractors)
        size = effective_n(sums, 100**2 * nps_variance(*groups))
        return nps_adjusted_wald(*groups, n_eff=size if sums.repeated else None).clip(-100, 100)
    if sums.variance > 0:
        return cluster_mean(sums).clip(*measure.scale)
    low, high = measure.scale
    found = constant_mean(sums.customers, sums.mean, scale_min=low, scale_max=high)
    return replace(found, n=sums.n)


def change_of(
    measure: Measure, marks: Marks, group: str, now: Interval, before: Interval, *, seed: int
) -> Interval:
    """Difference of one measure between the two cycles.

    Customers who answered in both are drawn together by the bootstrap. It has nothing to
    draw from where a cycle's answers all agree; then, and where no customer answered
    twice, the two intervals are combined.
    """
    sums, sums_before = marks.now(group), marks.before(group)
    varied = min(sums.variance, sums_before.variance) > 0
    if marks.both(group) and varied:
        if marks.kinds is not None:
            return bootstrap_change(marks.kinds.loc[[group]], seed=seed)
        spread = math.sqrt(sums.variance * sums_before.variance)
        return mover_difference(now, before, correlation=marks.covariance(group) / spread)
    if measure.kind == "mean" and varied:
        return cluster_difference(sums, sums_before)
    widest = {"share": 1.0, "nps": 200.0, "mean": measure.scale[1] - measure.scale[0]}[measure.kind]
    name = "Newcombe hybrid score interval" if measure.kind == "share" else None
    repeated = sums.repeated or sums_before.repeated
    found = mover_difference(now, before, method=None if repeated else name)
    return found.clip(-widest, widest)
