"""How long do people go without the event, within a horizon?

The restricted mean is the area under the curve until the horizon: the mean time without the
event when nobody is followed further. It needs no proportional hazards, and its differences
are in days, not in ratios of hazards.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from cxlab.errors import DataError
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval, z_quantile
from cxlab.stats.survival.curve import SurvivalCurve
from cxlab.stats.survival.kaplan_meier import none_of
from cxlab.stats.survival.scales import logit_interval

__all__ = [
    "RestrictedMeans",
    "Scale",
    "compare_restricted_means",
    "restricted_mean",
    "restricted_mean_lost",
    "share_difference",
]

Scale = Literal["logit", "plain"]


@dataclass(frozen=True, kw_only=True)
class RestrictedMeans:
    """Restricted means of two groups, held against each other.

    Attributes
    ----------
    one, other : Interval
        Restricted mean of each group, in the unit of the durations.
    difference : Interval
        One less other, in the same unit.
    ratio, lost_ratio : Interval
        One over other, of the time without the event and of the time lost to it.
    p_value : float
        Of the difference: how often chance alone would give as much.
    """

    one: Interval
    other: Interval
    difference: Interval
    ratio: Interval
    lost_ratio: Interval
    p_value: float


def restricted_mean(curve: SurvivalCurve, horizon: float, *, scale: Scale = "logit") -> Interval:
    """Mean time without the event within a horizon.

    Parameters
    ----------
    curve : SurvivalCurve
        From `product_limit`.
    horizon : float
        In the unit of the durations, within what was observed.
    scale : {"logit", "plain"}
        On which the interval is symmetric: that of logits of the mean's share of the
        horizon, which keeps its promise best with few people, or none, as in survRM2.

    Returns
    -------
    Interval
        In the unit of the durations, 0 to the horizon.

    Raises
    ------
    DataError
        If the horizon is not above 0, or the curve does not reach it.

    Notes
    -----
    The variance is Greenwood's for an area: the sum over events of the squared area that is
    left, times d / (n (n - d)). lifelines gives the variance of one person's time instead.
    Where nobody had the event yet, the interval reaches down to the horizon times Wilson's
    limit for none of those still at risk, as if whoever was missed had left at once. Where
    all had it at one time, there is no error to state and the interval is missing.

    References
    ----------
    Irwin (1949), Journal of Hygiene 47, 188-189; Royston & Parmar (2013), BMC Medical
    Research Methodology 13, 152; Klein & Moeschberger (2003), Survival Analysis, (4.5.1-2).

    Examples
    --------
    >>> from cxlab.stats.survival import product_limit
    >>> found = restricted_mean(product_limit([2, 4, 6, 9], [1, 1, 1, 0], [0, 0, 0, 1]), 8)
    >>> found.estimate, round(found.se, 4)
    (5.0, 1.118)
    """
    mean, variance = _area(curve, horizon)
    se, n, level = math.sqrt(variance), curve.n, curve.level
    if not curve.events[curve.time < horizon].any():
        low = horizon * float(none_of(_at_risk(curve, horizon) / curve.design_effect, level))
        method = "area under a curve without events: Wilson's limit for none"
        return Interval(estimate=mean, low=low, high=horizon, n=n, method=method, level=level)
    method = f"area under the product-limit curve, Greenwood's error, {scale} interval"
    if not se > 0:  # all had it at once, and there is no error to state
        return Interval(estimate=mean, low=math.nan, high=math.nan, n=n, method=method, level=level)
    if scale == "logit":
        return logit_interval(mean, se, n=n, level=level, method=method, most=horizon)
    if scale != "plain":
        raise DataError(f"scale must be logit or plain, but is {scale!r}.")
    far = z_quantile(level) * se
    return Interval(
        estimate=mean, low=mean - far, high=mean + far, n=n, method=method, level=level, se=se
    ).clip(0.0, horizon)


def restricted_mean_lost(
    curve: SurvivalCurve, horizon: float, *, scale: Scale = "logit"
) -> Interval:
    """Mean time lost to the event within a horizon: the horizon less `restricted_mean`.

    Parameters
    ----------
    curve : SurvivalCurve
        From `product_limit`.
    horizon : float
        In the unit of the durations, within what was observed.
    scale : {"logit", "plain"}
        As for `restricted_mean`.

    Returns
    -------
    Interval
        In the unit of the durations, 0 to the horizon.
    """
    kept = restricted_mean(curve, horizon, scale=scale)
    return Interval(
        estimate=horizon - kept.estimate, low=horizon - kept.high, high=horizon - kept.low,
        n=kept.n, method=kept.method, level=kept.level, se=kept.se,
    )  # fmt: skip


def compare_restricted_means(
    one: SurvivalCurve, other: SurvivalCurve, horizon: float
) -> RestrictedMeans:
    """Difference and ratios of the restricted means of two independent groups.

    Parameters
    ----------
    one, other : SurvivalCurve
        Of two groups that share no people, at one level; `other` is subtracted.
    horizon : float
        In the unit of the durations, within what was observed of both.

    Returns
    -------
    RestrictedMeans
        Ratios have intervals that are symmetric on the scale of logarithms.

    Raises
    ------
    DataError
        If the levels differ, or a curve does not reach the horizon.

    References
    ----------
    Uno et al. (2014), Journal of Clinical Oncology 32, 2380-2385; survRM2 of R.

    Examples
    --------
    >>> from cxlab.stats.survival import product_limit
    >>> one = product_limit([2, 4, 6, 9], [1, 1, 1, 7], [0, 0, 0, 0])
    >>> other = product_limit([2, 4, 6, 9], [3, 2, 1, 4], [0, 0, 0, 0])
    >>> round(compare_restricted_means(one, other, 8).difference.estimate, 3)
    1.6
    """
    _one_level(one, other)
    (mean, variance), (mean_other, variance_other) = (_area(x, horizon) for x in (one, other))
    n, z, gap = one.n + other.n, z_quantile(one.level), mean - mean_other
    se = math.sqrt(variance + variance_other)
    difference = Interval(
        estimate=gap, low=gap - z * se, high=gap + z * se, n=n, level=one.level, se=se,
        method="difference of areas under product-limit curves, Greenwood's errors",
    )  # fmt: skip
    sides = restricted_mean(one, horizon), restricted_mean(other, horizon)
    if min(variance, variance_other) == 0:
        difference = mover_difference(*sides)  # a side without events has an interval as well
    words = "ratio of {}, by the delta method on logarithms"
    ratio = _ratio((mean, variance), (mean_other, variance_other), z)
    lost = _ratio((horizon - mean, variance), (horizon - mean_other, variance_other), z)
    return RestrictedMeans(
        one=sides[0],
        other=sides[1],
        difference=difference,
        ratio=_interval(ratio, n, one.level, words.format("restricted means")),
        lost_ratio=_interval(lost, n, one.level, words.format("mean times lost")),
        p_value=float(2 * ndtr(-abs(gap) / se)) if se > 0 else math.nan,
    )


def share_difference(one: SurvivalCurve, other: SurvivalCurve, time: float) -> Interval:
    """Difference of the shares without the event at one time, of two independent groups.

    Parameters
    ----------
    one, other : SurvivalCurve
        Of two groups that share no people, at one level; `other` is subtracted.
    time : float
        A landmark named beforehand, within what was observed of both.

    Returns
    -------
    Interval
        Difference of shares, -1 to 1; each side keeps the lopsidedness of its own interval.

    Raises
    ------
    DataError
        If the levels differ, or a curve does not reach the time.

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702; Klein et al. (2007),
    Statistics in Medicine 26, 4505-4519, on comparisons at one time.

    Examples
    --------
    >>> from cxlab.stats.survival import product_limit
    >>> one = product_limit([2, 4, 6, 9], [1, 1, 1, 7], [0, 0, 0, 0])
    >>> other = product_limit([2, 4, 6, 9], [3, 2, 1, 4], [0, 0, 0, 0])
    >>> found = share_difference(one, other, 5)
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.3, -0.166, 0.648)
    """
    _one_level(one, other)
    now, then = one.share_at(time), other.share_at(time)
    if not (math.isfinite(now.low) and math.isfinite(then.low)):
        raise DataError(
            f"at {time:g} all of a group have had the event, so that its share has no interval. "
            "Compare at an earlier time, or compare restricted means."
        )
    gap = mover_difference(now, then, method="MOVER difference of product-limit shares")
    return Interval(
        estimate=gap.estimate, low=gap.low, high=gap.high, n=gap.n, method=gap.method,
        level=gap.level, se=math.hypot(now.se, then.se),
    )  # fmt: skip


def _area(curve: SurvivalCurve, horizon: float) -> tuple[float, float]:
    """Area under the curve until the horizon, and its variance."""
    if not horizon > 0:
        raise DataError(f"a horizon must be above 0, but is {horizon:g}.")
    curve.reaches(horizon)
    within = curve.time <= horizon
    edges = np.r_[0.0, curve.time[within], horizon]
    areas = np.diff(edges) * np.r_[1.0, curve.survival[within]]
    left = np.cumsum(areas[::-1])[::-1][1:]  # from each duration to the horizon
    n, d = curve.at_risk[within], curve.events[within]
    told = (d > 0) & (n > d)  # where all had it, nothing is left
    spread = np.divide(d, n * (n - d), out=np.zeros_like(d), where=told)
    return float(areas.sum()), float(curve.design_effect * (left**2 @ spread))


def _at_risk(curve: SurvivalCurve, time: float) -> float:
    return float(curve.at([time])["at_risk"].iloc[0])


def _one_level(one: SurvivalCurve, other: SurvivalCurve) -> None:
    if one.level != other.level:
        raise DataError(
            f"both curves must have one level, but have {one.level} and {other.level}. "
            "Make them again with the same level."
        )


def _interval(ends: tuple[float, float, float], n: float, level: float, method: str) -> Interval:
    estimate, low, high = ends
    return Interval(estimate=estimate, low=low, high=high, n=n, level=level, method=method)


def _ratio(
    one: tuple[float, float], other: tuple[float, float], z: float
) -> tuple[float, float, float]:
    """Ratio of two means with their variances, and the ends of its interval."""
    if not (one[0] > 0 and other[0] > 0):
        return math.nan, math.nan, math.nan
    ratio = one[0] / other[0]
    far = z * math.sqrt(one[1] / one[0] ** 2 + other[1] / other[0] ** 2)
    return ratio, ratio * math.exp(-far), ratio * math.exp(far)
