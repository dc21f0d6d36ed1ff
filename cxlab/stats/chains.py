"""How often does a walk through states end well, and what if a state were taken away?

A chain is given by its counts: how often each state, and the start, was followed by each
state and by each of two ends. Everything else is linear algebra: the fundamental matrix of
an absorbing chain, solved once, never a power of a matrix and never a simulation.
"""

import numpy as np
from numpy.typing import NDArray

from cxlab.errors import DataError

__all__ = ["conversion", "removal_effects"]

Floats = NDArray[np.float64]


def conversion(counts: NDArray[np.float64] | NDArray[np.int64]) -> Floats:
    """Probability that a walk from the start ends well.

    Parameters
    ----------
    counts : numpy.ndarray, shape (..., states + 1, states + 2)
        Moves from the start (first row) and from each state, to each state, to the good end
        (last column but one) and to the other (last). Leading axes are chains of their own.

    Returns
    -------
    numpy.ndarray, shape (...)
        Estimated on whole walks this is the share of them that ended well, exactly.

    Raises
    ------
    DataError
        If counts have another shape, are negative, or from some state no end is ever reached.

    References
    ----------
    Kemeny & Snell (1960), Finite Markov Chains, theorem 3.3.7.

    Examples
    --------
    >>> moves = [[2, 1, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 2, 0, 0], [0, 0, 0, 1, 1]]
    >>> round(float(conversion(np.array(moves))), 3)
    0.333
    """
    start, _, good = _solved(counts)
    return np.asarray((start * good).sum(axis=-1) + _straight(counts))


def removal_effects(counts: NDArray[np.float64] | NDArray[np.int64]) -> Floats:
    """Share of the good ends lost when every walk that reaches a state ends there in nothing.

    Parameters
    ----------
    counts : numpy.ndarray, shape (..., states + 1, states + 2)
        As in `conversion`.

    Returns
    -------
    numpy.ndarray, shape (..., states)
        0 to 1 for each state; not a number where no walk ends well.

    Raises
    ------
    DataError
        As in `conversion`.

    Notes
    -----
    With N the fundamental matrix and b the probability of the good end, a walk reaches state
    j with probability N[start, j] / N[j, j], and ends well from there with b[j]. So all
    effects come from one inverse, however many states there are.

    References
    ----------
    Anderl, Becker, von Wangenheim & Schumann (2016), "Mapping the customer journey",
    International Journal of Research in Marketing 33(3), 457-474.

    Examples
    --------
    The paths C1 > C2 > C3 (ends well), C1, and C2 > C3 (both end in nothing):

    >>> moves = [[2, 1, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 2, 0, 0], [0, 0, 0, 1, 1]]
    >>> [round(float(x), 3) for x in removal_effects(np.array(moves))]
    [0.5, 1.0, 1.0]
    """
    start, visits, good = _solved(counts)
    reached = (start[..., None, :] @ visits)[..., 0, :]
    again = np.diagonal(visits, axis1=-2, axis2=-1)
    ends = (start * good).sum(axis=-1) + _straight(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        effects = reached / again * good / ends[..., None]
    return np.asarray(np.clip(effects, 0.0, 1.0))


def _solved(counts: NDArray[np.float64] | NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """First moves, expected visits from each state to each, and the good end from each."""
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim < 2 or table.shape[-1] != table.shape[-2] + 1:
        raise DataError(
            "counts must have a row for the start and each state, and a column for each state "
            f"and both ends, but have the shape {table.shape}."
        )
    if not (np.isfinite(table).all() and (table >= 0).all()):
        raise DataError("counts of moves must be finite and not negative. Check the query.")
    size = table.sum(axis=-1, keepdims=True)
    # A state that nobody was in leads nowhere, and nothing leads to it.
    share = np.divide(table, size, out=np.zeros_like(table), where=size > 0)
    step = share[..., 1:, :-2]
    try:
        visits = np.linalg.solve(np.eye(step.shape[-1]) - step, np.eye(step.shape[-1]))
    except np.linalg.LinAlgError as error:
        raise DataError(
            "From every state an end must be reached, but from some the walk never leaves. "
            "Count whole walks, with how they ended."
        ) from error
    good = (visits @ share[..., 1:, -2:-1])[..., 0]
    return share[..., 0, :-2], visits, good


def _straight(counts: NDArray[np.float64] | NDArray[np.int64]) -> Floats:
    """Probability of going from the start straight to the good end."""
    first = np.asarray(counts, dtype=np.float64)[..., 0, :]
    total = first.sum(axis=-1)
    return np.asarray(np.divide(first[..., -2], total, out=np.zeros_like(total), where=total > 0))
