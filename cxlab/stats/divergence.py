"""How far have shares moved between two periods, and how far does chance alone move them?

The contacts of one person resemble each other, and some people are there in both periods.
So people are the units: under "nothing has changed" each person's contribution could as well
have had the other sign. Sums of products over people are all that is needed for it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxlab.errors import DataError

__all__ = ["Shift", "js_distance", "shift_of_shares"]

Floats = NDArray[np.float64]

_FURTHEST = 64.0  # times the change found; no share can change by more in practice
_STEPS = 16  # halvings: the ends are found to a hundred-thousandth


@dataclass(frozen=True, kw_only=True, eq=False)
class Shift:
    """A distance between two sets of shares.

    Attributes
    ----------
    distance : float
        Jensen-Shannon distance of the shares as counted, 0 to 1.
    low, high : float
        Ends of its interval: the distances that would not make the one found unusual.
    expected, expected_low, expected_high : float
        Mean and 95 % range of the distance where nothing has changed.
    p : float
        How often chance alone gives a distance at least as large.
    change, change_se : numpy.ndarray, shape (k,)
        Difference of each share, and its standard error.
    method : str
        In words.
    """

    distance: float
    low: float
    high: float
    expected: float
    expected_low: float
    expected_high: float
    p: float
    change: Floats
    change_se: Floats
    method: str


def js_distance(p: Floats, q: Floats) -> Floats:
    """Jensen-Shannon distance: the square root of the divergence in bits, 0 to 1.

    Parameters
    ----------
    p, q : numpy.ndarray, shape (..., k)
        Shares that add up to 1 along the last axis.

    Returns
    -------
    numpy.ndarray, shape (...)
        0 where the shares are equal, 1 where nothing is in both.

    References
    ----------
    Lin (1991), IEEE Transactions on Information Theory 37, 145-151; Endres & Schindelin
    (2003), same journal 49, 1858-1860: the square root is a metric.

    Examples
    --------
    >>> round(float(js_distance(np.array([1.0, 0.0]), np.array([0.5, 0.5]))), 4)
    0.5579
    """
    middle = (p + q) / 2
    bits = _bits(p, middle) + _bits(q, middle)
    distance: Floats = np.sqrt(np.clip(bits / 2, 0.0, 1.0))
    return distance


def shift_of_shares(
    before: Floats, now: Floats, products: Floats, *, people: float, seed: int, draws: int = 9_999
) -> Shift:
    """Test whether shares moved between two periods, and say by how much.

    Parameters
    ----------
    before, now : array_like, shape (k,)
        Rows by category in each period.
    products : array_like, shape (k, k)
        Sums over people of d_a d_b, where d_a is a person's rows of category a as a share
        of all rows now, minus the same before.
    people : float
        People with a row in either period.
    seed : int
        Feeds `numpy.random.default_rng`.
    draws : int
        Distances drawn.

    Returns
    -------
    Shift
        Distance, interval, what chance alone gives, p-value, and the change of each share.

    Raises
    ------
    DataError
        If a period has no rows, or fewer than two people are there.

    Notes
    -----
    A permutation test gives each person's contribution to the difference of shares (centred
    at the shares that both periods have together) a sign by chance. With many people these
    differences are normal with the covariance that `products` gives exactly; the draws are
    made from that limit, so that no person needs to be looked at. Who is there in both
    periods has one sign, so that the likeness of their rows is counted in.

    A distance is never negative, so chance alone makes it too large. The interval therefore
    holds those true distances (in the direction found) under which the one found lies within
    95 % of the draws; zero belongs to it unless p is below .025.

    References
    ----------
    Hoeffding (1951), Annals of Mathematical Statistics 22, 558-566 (the limit); Canay, Romano
    & Shaikh (2017), Econometrica 85, 1013-1030 (signs of clusters).

    Examples
    --------
    >>> each = np.outer([0.01, -0.01], [0.01, -0.01])  # 100 people, half of them at each end
    >>> found = shift_of_shares([50, 50], [50, 50], 100 * each, people=200, seed=1)
    >>> found.distance, found.p, found.low
    (0.0, 1.0, 0.0)
    """
    then, here, cross = (np.asarray(x, dtype=np.float64) for x in (before, now, products))
    if not (then.sum() > 0 and here.sum() > 0 and people >= 2):
        raise DataError(
            f"A shift needs rows in both periods and at least 2 people, but there are "
            f"{then.sum():g} rows before, {here.sum():g} now, and {people:g} people."
        )
    p, q = then / then.sum(), here / here.sum()
    middle = (p + q) / 2
    change = q - p
    small = people / (people - 1)
    rng = np.random.default_rng(seed)
    root = _root(_centred(cross, middle) * small)
    noise = rng.standard_normal((draws, len(p))) @ root.T
    found = float(js_distance(p, q))
    null = _distances(middle, noise)
    at_least = int((null >= found - 1e-12).sum())
    low, high = _interval(middle, change, noise, found)
    expected_low, expected_high = np.quantile(null, [0.025, 0.975])
    return Shift(
        distance=found, low=min(low, found), high=max(high, found),
        expected=float(null.mean()), expected_low=float(expected_low),
        expected_high=float(expected_high), p=(1 + at_least) / (1 + draws), change=change,
        change_se=np.sqrt(np.clip(np.diag(root @ root.T), 0, None)),
        method=f"permutation of people in its normal limit, {draws:,} draws",
    )  # fmt: skip


def _bits(p: Floats, middle: Floats) -> Floats:
    ratio = np.divide(p, middle, out=np.ones_like(middle), where=(p > 0) & (middle > 0))
    total: Floats = (p * np.log2(ratio)).sum(axis=-1)
    return total


def _centred(cross: Floats, shares: Floats) -> Floats:
    """Products of d_a - shares_a e, where e is the sum of a person's d."""
    with_all = cross.sum(axis=1)
    part = np.outer(shares, with_all)
    centred: Floats = cross - part - part.T + np.outer(shares, shares) * with_all.sum()
    return centred


def _root(covariance: Floats) -> Floats:
    """Return a root of a covariance that may be singular, since shares add up to 1."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root: Floats = vectors * np.sqrt(np.clip(values, 0.0, None))
    return root


def _distances(middle: Floats, change: Floats) -> Floats:
    """Distance of two sets of shares around a middle, `change` apart; never below no share."""
    p, q = (np.clip(middle + side * change / 2, 0.0, None) for side in (-1, 1))
    return js_distance(p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True))


def _interval(middle: Floats, change: Floats, noise: Floats, found: float) -> tuple[float, float]:
    """Find the true distances, along the change found, that make it not unusual."""

    def usual(times: float, tail: float) -> bool:
        """Tell whether the tail of the draws at so many times the change lies beyond it."""
        drawn = float(np.quantile(_distances(middle, times * change + noise), tail))
        return drawn >= found

    ends = []
    for tail in (0.975, 0.025):
        low, high = 0.0, 1.0
        if usual(low, tail):  # even with nothing changed
            ends.append(0.0)
            continue
        while not usual(high, tail) and high < _FURTHEST:
            low, high = high, 2 * high
        for _ in range(_STEPS):
            half = (low + high) / 2
            low, high = (low, half) if usual(half, tail) else (half, high)
        ends.append(high)
    at = _distances(middle, np.outer(ends, change))
    return float(at[0]), float(at[1])
