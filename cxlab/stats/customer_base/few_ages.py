"""A few ages that stand for all: what is smooth in time need not be worked out at each moment.

What customers will buy hangs on how often they bought and how long they were watched. For one
number of purchases it is an analytic function of log(alpha + T), whose nearest singularities
lie pi away from the real line whatever the parameters. A polynomial through n Chebyshev
points of a range of width w is then off by no more than a multiple of rho**-n, with
s = 2 pi / w and rho = s + sqrt(s**2 + 1) (Trefethen 2013, "Approximation Theory and
Approximation Practice", theorem 8.2).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["at_few_ages"]

Floats = NDArray[np.float64]

_DIGITS = 24.0  # logarithms that the bound lies below the value: errors near 1e-13


def at_few_ages(x: Floats, age: Floats, function: Callable[[Floats, Floats], Floats]) -> Floats:
    """Work out a positive function of (x, age) at many ages from its values at a few.

    Parameters
    ----------
    x, age : numpy.ndarray, shape (k,)
        Where; sorted by `x`, ages positive.
    function : callable
        Gives values of shape (..., m) for arrays of shape (m,); positive, and for each x
        analytic in the logarithm of the age within pi of the real line.

    Returns
    -------
    numpy.ndarray, shape (..., k)
        Its values, to about 1e-13 of each.

    Examples
    --------
    >>> age = np.linspace(10.0, 1000.0, 500)
    >>> found = at_few_ages(np.zeros(500), age, lambda x, a: 1 - (1 + 90 / a) ** -2.5)
    >>> bool(np.abs(found / (1 - (1 + 90 / age) ** -2.5) - 1).max() < 1e-11)
    True
    """
    u = np.log(age)
    parts = list(_parts(x, u))
    at = np.concatenate([nodes for _, nodes, _ in parts])
    of = np.concatenate([np.full(len(nodes), x[rows.start]) for rows, nodes, _ in parts])
    logs = np.log(function(of, np.exp(at)))
    found = np.empty((*logs.shape[:-1], len(x)))
    start = 0
    for rows, nodes, weights in parts:
        mine = logs[..., start : start + len(nodes)]
        found[..., rows] = mine if weights is None else mine @ weights
        start += len(nodes)
    return np.asarray(np.exp(found), dtype=np.float64)


def _parts(x: Floats, u: Floats) -> Iterator[tuple[slice, Floats, Floats | None]]:
    """The rows of each x, where to work out the function, and the weights of each row."""
    edges = np.flatnonzero(np.r_[True, np.diff(x) != 0, True])
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = slice(start, stop)
        mine = u[rows]
        half = float(np.ptp(mine)) / 2
        s = np.pi / max(half, 1e-9)
        enough = int(np.ceil(_DIGITS / np.log(s + np.hypot(s, 1.0)))) + 2
        if enough >= len(mine):
            yield rows, mine, None
        else:
            nodes, signs = _chebyshev(enough)
            yield (
                rows,
                float(mine.min()) + half * (1 + nodes),
                _barycentric(nodes, signs, (mine - mine.min()) / half - 1),
            )


def _chebyshev(n: int) -> tuple[Floats, Floats]:
    """Chebyshev's points of the first kind, and their barycentric weights."""
    angle = np.pi * (np.arange(n) + 0.5) / n
    return np.cos(angle), np.sin(angle) * (-1.0) ** np.arange(n)


def _barycentric(nodes: Floats, signs: Floats, at: Floats) -> Floats:
    """Weights that turn values at the nodes into values elsewhere; shape (nodes, at)."""
    apart = at - nodes[:, None]
    hit = np.abs(apart) < 1e-14
    weights = signs[:, None] / np.where(hit, 1e-14, apart)
    weights[:, hit.any(axis=0)] = hit[:, hit.any(axis=0)]
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float64)
