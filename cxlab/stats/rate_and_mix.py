"""Did a share change because groups changed, or because other groups came?

A share of all is the mean of the groups' shares, weighted by their sizes. Its change
splits exactly into what the groups' own shares did and what their sizes did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, t_quantile

__all__ = ["RateAndMix", "rate_and_mix"]

_Floats: TypeAlias = NDArray[np.float64]
_STEP = 1e-30  # of the complex-step derivative; it has no rounding error at any size
_METHOD = "Kitagawa split, delta method"


@dataclass(frozen=True, kw_only=True, eq=False)
class RateAndMix:
    """The two parts of the change of a share, in all and by group.

    Attributes
    ----------
    rate, mix : Interval
        What came from the groups' own shares, and what from their sizes; they add up to
        the change. `n` counts the cases of both periods.
    groups : pandas.DataFrame
        One row per group, in the order given: group, n, n_before, share, share_before
        (NaN where the group was not there), weight, weight_before, rate, rate_low,
        rate_high, mix, mix_low, mix_high, presence ("both", "new" or "gone").
    """

    rate: Interval
    mix: Interval
    groups: pd.DataFrame = field(repr=False)


def rate_and_mix(
    groups: pd.DataFrame,
    *,
    design_effect: float = 1.0,
    design_effect_before: float = 1.0,
    correlation: float = 0.0,
    level: float = 0.95,
) -> RateAndMix:
    """Split the change of a share into rate and mix effects by group.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per group: group, n and total (cases and successes now), n_before and
        total_before.
    design_effect, design_effect_before : float
        How many times the variance is that of independent cases, in each period.
    correlation : float
        Between the two periods, -1 to 1; other than 0 where the same people are in both.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    RateAndMix
        Rate effect of a group: its mean weight times the change of its share. Mix effect:
        the change of its weight times how far its mean share lies from that of all. The
        effects of all groups add up to the change of the whole share.

    Raises
    ------
    DataError
        If a period is empty, a group stands twice, or a count cannot be one.

    Notes
    -----
    A group that is new or gone has no change of its own share: all it does is mix. The
    intervals take both the shares and the sizes of groups as drawn anew in each period
    (multinomial), by the delta method, with half a case added to each cell so that a
    group in which nobody or everybody succeeded is not taken for certain. Student's quantile
    and n over n less the number of groups make up for few cases.

    References
    ----------
    Kitagawa (1955), Journal of the American Statistical Association 50, 1168-1194;
    Squire & Trapp (1998), SIAM Review 40, 110-112, for the derivatives.

    Examples
    --------
    >>> groups = pd.DataFrame({"group": ["app", "web"], "n": [500, 500], "total": [200, 100],
    ...                        "n_before": [200, 800], "total_before": [80, 160]})
    >>> found = rate_and_mix(groups)
    >>> round(found.rate.estimate, 3), round(found.mix.estimate, 3)
    (0.0, 0.06)
    """
    _stand(groups)
    n, total, n_before, total_before = (
        groups[c].to_numpy(dtype=np.float64) for c in ("n", "total", "n_before", "total_before")
    )
    cells = np.r_[total, n - total, total_before, n_before - total_before]
    there = np.r_[n > 0, n > 0, n_before > 0, n_before > 0]
    effects = _effects(cells, n > 0, n_before > 0).real
    spread, quantile = _spread(
        cells + 0.5 * there, n, n_before, (design_effect, design_effect_before),
        correlation=correlation, level=level,
    )  # fmt: skip
    half = quantile * spread
    k = len(n)
    share = np.divide(total, n, out=np.full(k, np.nan), where=n > 0)
    before = np.divide(total_before, n_before, out=np.full(k, np.nan), where=n_before > 0)
    both = (n > 0) & (n_before > 0)
    rows = groups[["group", "n", "n_before"]].reset_index(drop=True).assign(
        share=share, share_before=before,
        weight=n / n.sum(), weight_before=n_before / n_before.sum(),
        presence=np.select([both, n > 0], ["both", "new"], "gone"),
    )  # fmt: skip
    for name, at in (("rate", slice(0, k)), ("mix", slice(k, 2 * k))):
        rows[name] = effects[at]
        rows[f"{name}_low"], rows[f"{name}_high"] = (effects - half)[at], (effects + half)[at]
    size = float(n.sum() + n_before.sum())
    rate, mix = (
        Interval(
            estimate=float(effects[at]), low=float(effects[at] - half[at]),
            high=float(effects[at] + half[at]), n=size, method=_METHOD, level=level,
            se=float(spread[at]),
        )
        for at in (2 * k, 2 * k + 1)
    )  # fmt: skip
    return RateAndMix(rate=rate, mix=mix, groups=rows)


def _effects(cells: Any, now: NDArray[np.bool_], then: NDArray[np.bool_]) -> Any:
    """Return the rate effects, the mix effects, and the sum of each.

    `cells` are successes and failures by group now, then the same before; they may be
    complex, so that derivatives can be read off.
    """
    hits, fails, hits_before, fails_before = np.split(cells, 4)
    n, n_before = hits + fails, hits_before + fails_before
    weight, weight_before = n / n.sum(), n_before / n_before.sum()
    share = hits / np.where(now, n, 1)
    before = hits_before / np.where(then, n_before, 1)
    # Where a group was not there, its share is taken as the one it has.
    share, before = np.where(now, share, before), np.where(then, before, share)
    whole = (hits.sum() / n.sum() + hits_before.sum() / n_before.sum()) / 2
    rate = (weight + weight_before) / 2 * (share - before)
    mix = (weight - weight_before) * ((share + before) / 2 - whole)
    return np.r_[rate, mix, rate.sum(), mix.sum()]


def _spread(
    cells: _Floats,
    n: _Floats,
    n_before: _Floats,
    design_effects: tuple[float, float],
    *,
    correlation: float,
    level: float,
) -> tuple[_Floats, float]:
    """Standard errors of all effects, and the quantile (Student's) that goes with them."""
    # As many degrees of freedom are spent as there are groups with a share of their own.
    sizes = [float(each.sum()) for each in (n, n_before)]
    freedom = [
        max(1.0, size - float((each > 0).sum()))
        for size, each in zip(sizes, (n, n_before), strict=True)
    ]
    effects = [
        given * size / free
        for given, size, free in zip(design_effects, sizes, freedom, strict=True)
    ]
    one, other = np.sqrt(_variances(cells, n > 0, n_before > 0, effects))
    spread = np.sqrt(np.maximum(one**2 + other**2 - 2 * correlation * one * other, 0.0))
    return spread, t_quantile(level, min(freedom))


def _variances(
    cells: _Floats,
    now: NDArray[np.bool_],
    then: NDArray[np.bool_],
    design_effects: Sequence[float],
) -> _Floats:
    """Variance of all effects that comes from now, and from before (two rows)."""
    moved = cells[:, np.newaxis] + 1j * _STEP * np.eye(len(cells))
    # One column per cell: how much each effect moves with one more case in it.
    slopes = np.stack([_effects(column, now, then).imag / _STEP for column in moved.T], axis=1)
    half, out = len(cells) // 2, []
    for at, effect in zip((slice(0, half), slice(half, None)), design_effects, strict=True):
        n, slope = cells[at].sum(), slopes[:, at]
        # Around its mean, since a difference of squares would lose its digits.
        centred = slope - (slope @ cells[at] / n)[:, np.newaxis]
        out.append(effect * (centred**2 @ cells[at]))
    return np.array(out)


def _stand(groups: pd.DataFrame) -> None:
    if groups["group"].duplicated().any():
        raise DataError("each group must stand once, but one is there twice. Add its rows up.")
    for n, total in (("n", "total"), ("n_before", "total_before")):
        size, hits = groups[n].to_numpy(dtype=float), groups[total].to_numpy(dtype=float)
        if not ((hits >= 0) & (hits <= size)).all():
            raise DataError(f"{total} must lie between 0 and {n} in every group. Check the query.")
        if not size.sum() > 0:
            raise DataError(f"both periods need cases, but {n} adds up to none.")
