"""The highest point of a likelihood, or the plain statement that none was found.

Parameters are positive and searched on the log scale, where a likelihood is closer to a
parabola and no step leaves the range. Several starts must lead to one place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Maximum", "maximise", "slopes"]

Floats: TypeAlias = NDArray[np.float64]
Objective: TypeAlias = Callable[[Floats], tuple[float, Floats]]

REACH = 14.0  # of a logarithm: from one millionth to a million, in units of the data
_GAIN = 1e-7  # log-likelihood that may be left to gain
_STEP = 1e-3  # relative distance to the maximum that may be left to go
_WIDTH = 1e-4  # of a difference quotient, on the log scale: errors near 1e-8


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """Where a search ended.

    Attributes
    ----------
    theta : numpy.ndarray, shape (k,)
        Logarithms of the parameters.
    value : float
        Log-likelihood there.
    covariance : numpy.ndarray, shape (k, k)
        Of the logarithms: the inverse of the observed information; missing where it has none.
    reason : str
        Why the search did not converge; empty where it did.
    agreeing : int
        Starts that ended at this height.
    starts : int
        Starts that were made.
    """

    theta: Floats = field(repr=False)
    value: float
    covariance: Floats = field(repr=False)
    reason: str
    agreeing: int
    starts: int


# What a climb that strays meets on its way says nothing: it is judged by where it ends.
_in_silence = np.errstate(over="ignore", invalid="ignore", divide="ignore")


@_in_silence
def maximise(objective: Objective, starts: Sequence[Floats], names: Sequence[str]) -> Maximum:
    """Climb from several starts, end with Newton's steps, and judge where that led.

    Parameters
    ----------
    objective : callable
        Gives log-likelihood and gradient for logarithms of the parameters.
    starts : sequence of numpy.ndarray, each of shape (k,)
        Logarithms to start from.
    names : sequence of str
        The parameters, for the reason.

    Returns
    -------
    Maximum
        The best end of all climbs. It has converged where Newton's method sees no more than
        1e-7 of log-likelihood and a thousandth of each parameter left to go, where the
        information is positive definite, and no parameter ran to the end of its range.

    Examples
    --------
    >>> found = maximise(lambda u: (-float(u @ u), -2 * u), [np.array([1.0])], ["a"])
    >>> found.reason, abs(round(float(found.theta[0]), 9))
    ('', 0.0)
    """
    ends = [_climb(objective, np.asarray(start, dtype=np.float64)) for start in starts]
    heights = np.array([value for _, value in ends])
    theta = ends[int(np.argmax(heights))][0]
    theta, value, left, information = _newton(objective, theta)
    reason, covariance = _judged(theta, left, information, names)
    return Maximum(
        theta=theta, value=value, covariance=covariance, reason=reason,
        agreeing=int((heights > value - 1e-3).sum()), starts=len(ends),
    )  # fmt: skip


@_in_silence
def slopes(function: Callable[[Floats], Floats], theta: Floats) -> Floats:
    """Derivative of an array-valued function, by central differences on the log scale.

    Parameters
    ----------
    function : callable
        Gives an array of shape (m,) for logarithms of shape (k,).
    theta : numpy.ndarray, shape (k,)
        Where.

    Returns
    -------
    numpy.ndarray, shape (k, m)
        One row per parameter.

    Examples
    --------
    >>> slopes(lambda u: np.exp(u), np.array([0.0])).round(6).tolist()
    [[1.0]]
    """
    steps = _WIDTH * np.eye(len(theta))
    return np.array([(function(theta + h) - function(theta - h)) / (2 * _WIDTH) for h in steps])


def _climb(objective: Objective, start: Floats) -> tuple[Floats, float]:
    from scipy.optimize import minimize

    size = 1.0 + abs(objective(start)[0])

    def down(theta: Floats) -> tuple[float, Floats]:
        value, gradient = objective(theta)
        return -value / size, -gradient / size

    found = minimize(
        down, start, jac=True, method="L-BFGS-B", bounds=[(-REACH, REACH)] * len(start),
        options={"ftol": 1e-9, "gtol": 1e-7, "maxiter": 500},
    )  # fmt: skip
    return np.asarray(found.x, dtype=np.float64), -float(found.fun) * size


def _newton(objective: Objective, theta: Floats) -> tuple[Floats, float, Floats, Floats]:
    """Take Newton's steps as long as they go up; return also the step that is left."""
    for _ in range(20):
        value, gradient = objective(theta)
        information = -slopes(lambda u: objective(u)[1], theta)
        information = (information + information.T) / 2
        left = _solved(information, gradient)
        if not np.isfinite(left).all() or gradient @ left < _GAIN * 1e-3:
            break
        step = left * min(1.0, 1.0 / np.abs(left).max())
        if np.abs(theta + step).max() > REACH or objective(theta + step)[0] <= value:
            break
        theta = theta + step
    return theta, value, np.where(np.isfinite(left), left, np.inf), information


def _solved(information: Floats, gradient: Floats) -> Floats:
    try:
        np.linalg.cholesky(information)
        return np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full_like(gradient, np.nan)


def _judged(
    theta: Floats, left: Floats, information: Floats, names: Sequence[str]
) -> tuple[str, Floats]:
    """Say why this is no maximum, or nothing and the covariance."""
    missing = np.full_like(information, np.nan)
    far = np.abs(theta) > REACH - 1e-6
    gone = ~np.isfinite(left).all() or np.abs(left).max() > _STEP
    if far.any() or (gone and np.abs(theta).max() > REACH / 2):
        most = far if far.any() else np.abs(theta) > REACH / 2
        ways = [
            f"{name} {'grows' if up else 'falls'} without end"
            for name, up, one in zip(names, theta > 0, most, strict=True)
            if one
        ]
        return "the likelihood keeps rising while " + " and ".join(ways), missing
    if not np.isfinite(left).all():
        return "the likelihood is flat or no maximum where the search ended", missing
    if gone or left @ information @ left > 2 * _GAIN:
        return "the search ended before it reached the maximum", missing
    inverse = np.linalg.inv(information)
    return "", np.asarray((inverse + inverse.T) / 2, dtype=np.float64)
