"""Does a group differ from all the others, when many groups are looked at.

Effect and interval come first and the p-value second; it is adjusted for the size
of the family, and beside it stands the difference that could have been seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from cxlab.errors import DataError
from cxlab.stats.clusters import ClusterSums, cluster_difference, effective_n
from cxlab.stats.differences import mover_difference, welch_df
from cxlab.stats.intervals import Interval, wilson
from cxlab.stats.multiplicity import benjamini_hochberg, holm
from cxlab.stats.power import detectable_mean_difference, detectable_share_difference

__all__ = ["SUMS", "compare_groups", "family_size"]

# What is known of a group: sums over its customers (see `ClusterSums`), and the sum
# of squares of single outcomes.
SUMS = ("customers", "n", "total", "n_n", "n_total", "total_total", "squares")
_FEWEST = 10  # observations of a group, or of its rest, that a test is made from


def compare_groups(
    groups: pd.DataFrame, *, kind: Literal["share", "mean"], level: float = 0.95
) -> pd.DataFrame:
    """Compare each group with all the others together.

    Parameters
    ----------
    groups : pandas.DataFrame
        One row per group: `group`, `n`, `total` (of a share: its numerator) and, for
        means, `squares`. Where customers count several times, the other columns of
        `SUMS` too.
    kind : {"share", "mean"}
        What `total / n` is.
    level : float
        Confidence level of each interval, and of the tests.

    Returns
    -------
    pandas.DataFrame
        One row per group, in the order given: `group`, `n`, `value`, `rest` (value of
        the others), `estimate` (their difference), `conf_low`, `conf_high`, `p`,
        `p_holm`, `p_bh`, `detectable` (the difference seen with 80 % power after
        Bonferroni's correction) and `method`. Where a side has fewer than 10
        observations, or nothing varies, the numbers are missing.

    Raises
    ------
    DataError
        If there are fewer than two groups, or one is named twice.

    Examples
    --------
    >>> groups = pd.DataFrame({"group": ["a", "b"], "n": [70, 80], "total": [56, 48]})
    >>> found = compare_groups(groups, kind="share")
    >>> found[["estimate", "conf_low", "conf_high", "p"]].iloc[0].round(4).tolist()
    [0.2, 0.0524, 0.3339, 0.008]
    """
    frame = _with_sums(groups)
    if len(frame) < 2 or frame["group"].duplicated().any():
        raise DataError(
            f"a comparison needs two or more groups, each named once, but has "
            f"{frame['group'].tolist()}. Choose another grouping."
        )
    whole = frame[list(SUMS)].sum()
    sides = [(row, whole - row) for _, row in frame[list(SUMS)].iterrows()]
    testable = [bool(min(one["n"], rest["n"]) >= _FEWEST) for one, rest in sides]
    family = max(1, family_size(testable))
    strict = 1 - (1 - level) / family
    compared = _share_test if kind == "share" else _mean_test
    rows = [
        compared(_Side.of(one), _Side.of(rest), level, strict) if usable else _untested(one, rest)
        for (one, rest), usable in zip(sides, testable, strict=True)
    ]
    out = pd.DataFrame(rows)
    out.insert(0, "group", frame["group"].to_numpy())
    return _adjusted(out)


def family_size(tested: Sequence[bool]) -> int:
    """How many different questions were asked: of two groups it is one, not two."""
    asked = sum(tested)
    return 1 if asked == 2 and len(tested) == 2 else asked


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: its sums, and the sum of squares of single outcomes."""

    sums: ClusterSums
    squares: float

    @classmethod
    def of(cls, row: pd.Series) -> "_Side":
        numbers = {name: float(row[name]) for name in SUMS}
        return cls(squares=numbers.pop("squares"), sums=ClusterSums(**numbers))

    @property
    def variance_of_one(self) -> float:
        return max(0.0, self.squares / self.sums.n - self.sums.mean**2)


def _share_test(one: _Side, rest: _Side, level: float, strict: float) -> dict[str, Any]:
    sizes, intervals = [], []
    for side in (one, rest):
        share = side.sums.mean
        size = effective_n(side.sums, share * (1 - share), level=level)
        given = None if size == side.sums.n else size
        intervals.append(wilson(side.sums.total, side.sums.n, n_eff=given, level=level))
        sizes.append(size)
    gap = mover_difference(*intervals)
    if not (one.sums.repeated or rest.sums.repeated):
        gap = mover_difference(*intervals, method="Newcombe hybrid score interval")
    pooled = (one.sums.total + rest.sums.total) / (one.sums.n + rest.sums.n)
    se = math.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    p = float(2 * ndtr(-abs(gap.estimate) / se)) if se > 0 else 1.0
    seen = detectable_share_difference(pooled, *sizes, level=strict)
    return _row(one, rest, gap, p, seen)


def _mean_test(one: _Side, rest: _Side, level: float, strict: float) -> dict[str, Any]:
    sides = (one, rest)
    parts = [side.sums.variance for side in sides]
    freedom = [side.sums.customers - 1 for side in sides]
    se = math.sqrt(sum(parts)) if min(freedom) > 0 else 0.0
    if se == 0:  # one customer, or nothing varies: no scale to judge a difference by
        return _untested(*(pd.Series({"n": s.sums.n, "total": s.sums.total}) for s in sides))
    gap = cluster_difference(one.sums, rest.sums, level=level)
    df = welch_df(parts[0], freedom[0], parts[1], freedom[1])
    p = float(2 * stdtr(df, -abs(gap.estimate) / se))
    sizes = [effective_n(side.sums, side.variance_of_one, level=level) for side in sides]
    spread = sum(s.variance_of_one * n for s, n in zip(sides, sizes, strict=True)) / sum(sizes)
    seen = detectable_mean_difference(
        math.sqrt(spread), *(max(2.0, n) for n in sizes), level=strict
    )
    return _row(one, rest, gap, p, seen)


def _row(one: _Side, rest: _Side, gap: Interval, p: float, seen: float) -> dict[str, Any]:
    return {
        "n": one.sums.n, "value": one.sums.mean, "rest": rest.sums.mean,
        "estimate": gap.estimate, "conf_low": gap.low, "conf_high": gap.high,
        "p": p, "detectable": seen, "method": gap.method,
    }  # fmt: skip


def _untested(one: pd.Series, rest: pd.Series) -> dict[str, Any]:
    missing = dict.fromkeys(("estimate", "conf_low", "conf_high", "p", "detectable"), math.nan)
    means = [float(side["total"] / side["n"]) if side["n"] else math.nan for side in (one, rest)]
    text = "not tested: too few, or nothing varies"
    return {"n": float(one["n"]), "value": means[0], "rest": means[1], **missing, "method": text}


def _adjusted(rows: pd.DataFrame) -> pd.DataFrame:
    """Add adjusted p-values over the tests that were made."""
    made = rows["p"].notna().to_numpy()
    for name, adjust in (("p_holm", holm), ("p_bh", benjamini_hochberg)):
        column = np.full(len(rows), np.nan)
        p = rows.loc[made, "p"].tolist()
        mirrored = family_size(made.tolist()) < made.sum()  # two groups ask one question
        column[made] = p if mirrored else adjust(p)
        rows[name] = column
    return rows


def _with_sums(groups: pd.DataFrame) -> pd.DataFrame:
    """Fill in the sums of groups in which each customer counts once."""
    frame = groups.copy()
    if "squares" not in frame:
        frame["squares"] = frame["total"]  # zeros and ones are their own squares
    alike = {"customers": "n", "n_n": "n", "n_total": "total", "total_total": "squares"}
    for column, same_as in alike.items():
        if column not in frame:
            frame[column] = frame[same_as]
    return frame.astype(dict.fromkeys(SUMS, "float64")).reset_index(drop=True)
