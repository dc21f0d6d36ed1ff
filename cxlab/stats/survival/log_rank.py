"""Do groups differ in when something happens? The log-rank test and its weighted kin.

At each duration at which somebody had the event, the events of each group are held against
those it would have had, were its people like all others under observation. The weights say
which durations count: all alike, or the early ones more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from cxlab.errors import DataError
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival.counts import Durations, Rows, groups_of, layers_of, rows_of, sums_at

__all__ = ["LogRank", "Weighting", "log_rank", "pairwise_log_rank", "tested"]

Weighting = Literal[
    "log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "peto-prentice", "fleming-harrington"
]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LogRank:
    """A test that several groups share one curve.

    Attributes
    ----------
    groups : list
        What is compared, sorted.
    n, observed, expected : numpy.ndarray, shape (groups,)
        People of each group, their events, and those expected were all groups alike; with
        weights other than log-rank's, events are weighted.
    variance : numpy.ndarray, shape (groups, groups)
        Covariance of observed less expected.
    statistic, p_value : float
        Chi-squared, and how often chance alone would give as much.
    df : int
        Degrees of freedom: groups less one, and fewer where some are never at risk together.
    method : str
        The test, in words.
    """

    groups: list[object]
    n: _Floats = field(repr=False)
    observed: _Floats = field(repr=False)
    expected: _Floats = field(repr=False)
    variance: _Floats = field(repr=False)
    statistic: float
    df: int
    p_value: float
    method: str

    def table(self) -> pd.DataFrame:
        """One row per group: people, events, events expected."""
        return pd.DataFrame(
            {
                "group": self.groups,
                "n": self.n,
                "observed": self.observed,
                "expected": self.expected,
            }
        )


def log_rank(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    group: ArrayLike,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weighting: Weighting = "log-rank",
    p: float = 1.0,
    q: float = 0.0,
) -> LogRank:
    """Test whether groups share one curve, from counts.

    Parameters
    ----------
    durations, events, censored, entry : array_like, shape (rows,)
        As for `product_limit`.
    group : array_like, shape (rows,)
        Group of each row; at least two.
    strata : array_like, shape (rows,), optional
        Groups are compared within each stratum only, and the comparisons added up.
    weighting : str
        "log-rank" (all alike), "gehan-breslow" (number at risk), "tarone-ware" (its
        root), "peto-peto" (pooled curve just before, as R's rho = 1), "peto-prentice"
        (a pooled curve with one more at risk, as lifelines' "peto"), or
        "fleming-harrington" (S^p (1-S)^q of the pooled curve just before).
    p, q : float
        Powers of Fleming & Harrington's weights, 0 or more.

    Returns
    -------
    LogRank
        Observed, expected, their covariance and the test.

    Raises
    ------
    DataError
        If a count cannot be one, there is one group only, or the weighting is unknown.

    Notes
    -----
    With events that tie, the variance is that of the hypergeometric distribution.

    References
    ----------
    Mantel (1966), Cancer Chemotherapy Reports 50, 163-170; Harrington & Fleming (1982),
    Biometrika 69, 553-566; Klein & Moeschberger (2003), Survival Analysis, 7.3 and 7.5.

    Examples
    --------
    >>> found = log_rank([2, 4, 6, 3, 5, 9], [3, 2, 1, 1, 1, 2], [0, 0, 2, 0, 1, 4],
    ...                  group=["a", "a", "a", "b", "b", "b"])
    >>> found.expected.round(3).tolist(), round(found.p_value, 3)
    ([3.144, 6.856], 0.03)
    """
    rows = rows_of(durations, events, censored, entry)
    if rows.events.shape[1] != 1:
        raise DataError("log_rank compares one event. Use compare_incidence for several causes.")
    groups, place = groups_of(group, rows)
    weights = _weighting(weighting, p, q)
    return tested(rows, groups, place, layers_of(strata, rows), *weights)


def pairwise_log_rank(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    group: ArrayLike,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weighting: Weighting = "log-rank",
    p: float = 1.0,
    q: float = 0.0,
) -> pd.DataFrame:
    """Test each pair of groups by itself, and adjust for their number.

    Parameters
    ----------
    durations, events, censored, entry, group, strata, weighting, p, q
        As for `log_rank`.

    Returns
    -------
    pandas.DataFrame
        One row per pair: group, against, statistic, p_value, p_holm. A pair without
        events has no p-value, and is left out of the adjustment.

    Raises
    ------
    DataError
        As `log_rank`.

    Examples
    --------
    >>> found = pairwise_log_rank([2, 5, 3, 6, 8, 9], [3, 1, 2, 2, 1, 0], [0, 2, 0, 1, 2, 3],
    ...                           group=["a", "a", "b", "b", "c", "c"])
    >>> found[["group", "against"]].to_numpy().tolist()
    [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    rows = rows_of(durations, events, censored, entry)
    groups, place = groups_of(group, rows)
    layers, weights = layers_of(strata, rows), _weighting(weighting, p, q)
    found = []
    for one, other in combinations(range(len(groups)), 2):
        both = (place == one) | (place == other)
        pair, side = [groups[one], groups[other]], (place[both] == other).astype(np.int64)
        test = tested(rows.where(both), pair, side, layers[both], *weights)
        found.append((*pair, test.statistic, test.p_value))
    table = pd.DataFrame(found, columns=["group", "against", "statistic", "p_value"])
    known = table["p_value"].notna()
    adjusted = np.full(len(table), np.nan)
    adjusted[known] = holm(table.loc[known, "p_value"].tolist())
    return table.assign(p_holm=adjusted)


def tested(
    rows: Rows,
    groups: list[object],
    place: NDArray[np.int64],
    layers: NDArray[np.int64],
    within: Callable[[list[Durations]], tuple[_Floats, _Floats, _Floats]],
    method: str,
) -> LogRank:
    """Compare groups within each stratum, and add the comparisons up.

    Parameters
    ----------
    rows : Rows
        What was counted.
    groups : list
        What is compared, at least two.
    place, layers : numpy.ndarray of int, shape (rows,)
        Group and stratum of each row.
    within : callable
        Takes the counts of each group on the same durations; gives events observed and
        expected, and the covariance of their difference.
    method : str
        The test, in words.

    Returns
    -------
    LogRank
        Sums over strata, and the test.

    Raises
    ------
    DataError
        If there is one group only.
    """
    if len(groups) < 2:
        raise DataError(f"a comparison needs at least two groups, but has {groups}.")
    observed, expected = np.zeros(len(groups)), np.zeros(len(groups))
    variance = np.zeros((len(groups), len(groups)))
    for layer in np.unique(layers):
        here = layers == layer
        time = np.unique(rows.stop[here])
        each = [rows.where(here & (place == i)).by_duration(time) for i in range(len(groups))]
        seen, due, spread = within(each)
        observed, expected, variance = observed + seen, expected + due, variance + spread
    statistic, df = _quadratic_form(observed - expected, variance)
    return LogRank(
        groups=groups, n=sums_at(place, rows.people, len(groups)), observed=observed,
        expected=expected, variance=variance, statistic=statistic, df=df,
        p_value=float(chdtrc(df, statistic)) if df else np.nan,
        method=method + ", stratified" * bool(layers.any()),
    )  # fmt: skip


def _weighting(
    weighting: Weighting, p: float, q: float
) -> tuple[Callable[[list[Durations]], tuple[_Floats, _Floats, _Floats]], str]:
    """How to compare groups within a stratum, and what that is called."""
    if not (p >= 0 and q >= 0):
        raise DataError(f"powers of a weighting must be 0 or more, but are {p:g} and {q:g}.")

    def within(each: list[Durations]) -> tuple[_Floats, _Floats, _Floats]:
        at_risk, d = np.array([x.at_risk for x in each]), np.array([x.events[:, 0] for x in each])
        n, total = at_risk.sum(axis=0), d.sum(axis=0)
        weight = _weights(n, total, weighting, p, q)
        eventful = (total > 0) & (n > 0)
        at_risk, d, n, total = at_risk[:, eventful], d[:, eventful], n[eventful], total[eventful]
        weight = weight[eventful]
        share = at_risk / n
        # The last one at risk tells nothing of which group it was from.
        spare = np.divide(n - total, n - 1, out=np.zeros_like(n), where=n > 1)
        scale = weight**2 * total * spare
        variance = np.diag(share @ scale) - (share * scale) @ share.T
        return d @ weight, share @ (weight * total), variance

    powers = f" ({p:g}, {q:g})" * (weighting == "fleming-harrington")
    return within, f"{weighting}{powers} test"


def _weights(n: _Floats, d: _Floats, weighting: Weighting, p: float, q: float) -> _Floats:
    if weighting == "log-rank":
        return np.ones_like(n)
    if weighting == "gehan-breslow":
        return n
    if weighting == "tarone-ware":
        return np.sqrt(np.maximum(n, 0.0))
    if weighting == "peto-prentice":
        return np.cumprod((n - d + 1) / (n + 1)).astype(np.float64)
    if weighting not in ("peto-peto", "fleming-harrington"):
        raise DataError(
            "weighting must be log-rank, gehan-breslow, tarone-ware, peto-peto, peto-prentice "
            f"or fleming-harrington, but is {weighting!r}."
        )
    kept = np.divide(n - d, n, out=np.ones_like(n), where=n > 0)
    before = np.r_[1.0, np.cumprod(kept)[:-1]]
    powers = (1.0, 0.0) if weighting == "peto-peto" else (p, q)
    weights: _Floats = before ** powers[0] * (1 - before) ** powers[1]
    return weights


def _quadratic_form(score: _Floats, variance: _Floats) -> tuple[float, int]:
    """Chi-squared of scores that add up to zero, and how many comparisons the data allow."""
    values, vectors = np.linalg.eigh(variance)
    told = values > 1e-10 * values.max(initial=0.0)
    if not told.any():
        return np.nan, 0
    along = vectors[:, told].T @ score
    return float((along**2 / values[told]).sum()), int(told.sum())
