"""How far a number may go before the data speak against it: profile likelihood intervals.

Where a likelihood is no parabola, the delta method claims too much. The ends of a profile
interval are the least and the most that a number takes over all parameters whose likelihood
is within half the chi-squared quantile of the maximum; they need no normal distribution of
the estimates, only of what their likelihood ratio measures.
"""

from collections.abc import Callable

import numpy as np

from cxlab.stats.customer_base.maximum import Floats, Objective, slopes
from cxlab.stats.intervals import z_quantile

__all__ = ["profile_ends"]

_FAR = 12.0  # standard errors that an end may be away; further, there is none


def profile_ends(
    objective: Objective,
    theta: Floats,
    covariance: Floats,
    number: Callable[[Floats], float],
    *,
    level: float,
) -> tuple[float, float]:
    """Find the ends of an interval of a function of the parameters.

    Parameters
    ----------
    objective : callable
        Log-likelihood and its gradient at logarithms of the parameters.
    theta, covariance : numpy.ndarray, shapes (k,) and (k, k)
        Where its maximum is, and the inverse of the information there.
    number : callable
        The function, best on a scale without ends.
    level : float
        Confidence level.

    Returns
    -------
    low, high : float
        Not a number where the search for an end failed.

    References
    ----------
    Cox & Hinkley (1974), Theoretical Statistics, 9.3; as a constrained search, Fischer &
    Lewis (2021), "A robust and efficient algorithm to find profile likelihood confidence
    intervals", Statistics and Computing 31, 38.

    Examples
    --------
    >>> def square(u):
    ...     return -float(u @ u) / 2, -u
    >>> ends = profile_ends(square, np.zeros(1), np.eye(1), lambda u: float(u[0]), level=0.95)
    >>> [round(end, 2) for end in ends]
    [-1.96, 1.96]
    """
    from scipy.optimize import NonlinearConstraint, minimize

    # In steps of standard errors the region is nearly a ball.
    root, top, z = np.linalg.cholesky(covariance), objective(theta)[0], z_quantile(level)

    def room(w: Floats) -> Floats:
        return np.array([objective(theta + root @ w)[0] - top + z**2 / 2])

    def room_slope(w: Floats) -> Floats:
        slope: Floats = root.T @ objective(theta + root @ w)[1]
        return slope[None, :]

    def here(w: Floats) -> Floats:
        return np.array([number(theta + root @ w)])

    slope = slopes(here, np.zeros(len(theta)))[:, 0]
    first = z * slope / max(float(np.linalg.norm(slope)), 1e-300)
    near = NonlinearConstraint(room, 0.0, np.inf, jac=room_slope)

    def end(side: float) -> float:
        def down(w: Floats) -> float:
            return -side * float(here(w)[0])

        def down_slope(w: Floats) -> Floats:
            return -side * slopes(here, w)[:, 0]

        found = minimize(
            down, side * first, jac=down_slope, constraints=near, method="SLSQP",
            bounds=[(-_FAR, _FAR)] * len(theta), options={"maxiter": 100, "ftol": 1e-8},
        )  # fmt: skip
        inside = room(found.x)[0] > -1e-3 and np.abs(found.x).max() < _FAR - 1e-6
        return -side * float(found.fun) if inside else np.nan

    return end(-1.0), end(1.0)
