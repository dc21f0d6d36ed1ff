"""How far a part of a known whole is from the whole itself.

A part of N customers with share f, and the rest of them with share 1 - f, have the means
a and b. The whole has f a + (1 - f) b, so the part is off by (1 - f)(a - b): the bias of
those who did not answer, or did not consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cxlab.stats.comparison import SUMS, compare_groups
from cxlab.stats.intervals import Interval

__all__ = ["PartOfWhole", "part_of_whole"]


@dataclass(frozen=True, kw_only=True)
class PartOfWhole:
    """A part against the whole it belongs to.

    Attributes
    ----------
    part, whole : float
        The two means or shares.
    n_part : float
        Observations of the part.
    gap : Interval
        Part minus whole; its `n` counts the observations of the whole. Without numbers
        where a side has too few observations, or nothing varies.
    p : float
        Of no difference between the part and the rest; not a number without a test.
    """

    part: float
    whole: float
    n_part: float
    gap: Interval
    p: float


def part_of_whole(
    part: Mapping[str, float],
    rest: Mapping[str, float],
    *,
    kind: Literal["share", "mean"],
    level: float = 0.95,
) -> PartOfWhole:
    """Compare a part with the whole that it makes together with the rest.

    Parameters
    ----------
    part, rest : mapping
        Sums over customers of the two disjoint sides: `SUMS` of `cxlab.stats.comparison`.
    kind : {"share", "mean"}
        What `total / n` is.
    level : float
        Confidence level.

    Returns
    -------
    PartOfWhole
        The interval is that of the difference of the two sides, Newcombe's (1998) for
        shares and Welch's (1947) for means, times the share of the rest. That share is
        taken as it is: what could have been otherwise is what people do, not how many of
        them consent.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 13.2 (the bias of non-response).

    Examples
    --------
    >>> def sums(n, total):
    ...     return {"customers": n, "n": n, "n_n": n, "total": total, "n_total": total,
    ...             "total_total": total, "squares": total}
    >>> found = part_of_whole(sums(70, 56), sums(80, 48), kind="share")
    >>> round(found.part, 3), round(found.whole, 3), round(found.gap.estimate, 3)
    (0.8, 0.693, 0.107)
    """
    n = part["n"] + rest["n"]
    outside = rest["n"] / n if n else float("nan")
    missing = float("nan")
    gap, p = (
        Interval(
            estimate=missing, low=missing, high=missing, n=n, method="not tested", level=level
        ),
        missing,
    )
    if min(part["customers"], rest["customers"]) >= 2:
        sides = pd.DataFrame([part, rest])[list(SUMS)].assign(group=["part", "rest"])
        fit = compare_groups(sides, kind=kind, level=level).iloc[0]
        p = float(fit["p"])
        gap = Interval(
            estimate=outside * float(fit["estimate"]), low=outside * float(fit["conf_low"]),
            high=outside * float(fit["conf_high"]), n=n,
            method=f"share of the others times: {fit['method']}", level=level,
        )  # fmt: skip
    return PartOfWhole(
        part=part["total"] / part["n"] if part["n"] else missing,
        whole=(part["total"] + rest["total"]) / n if n else missing,
        n_part=part["n"],
        gap=gap,
        p=p,
    )
