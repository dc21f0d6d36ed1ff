"""Climb to the maximum of the partial likelihood, or say why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxlab.errors import ConvergenceError, DataError
from cxlab.stats.cox.likelihood import Moments, information, log_likelihood, moments, score
from cxlab.stats.cox.risk_sets import RiskSets
from cxlab.stats.cox.ties import Floats, Ties

__all__ = ["Climb", "climb", "identified", "inverse_of"]

_STEPS = 50
_HALVINGS = 30
_ARRIVED = 1e-8  # last step in standard deviations of a covariate; the error is its square
# A step that still moves somebody's log hazard by so much while so little likelihood is left
# to gain: a standard error of 350 or more. No finite maximum is like that.
_MOVES, _GAIN = 0.5, 1e-6
_ROUNDING = 1e-12  # share of the information at the start below which digits are noise
_FLIGHT = 20.0  # difference in log hazard that no real covariate makes
_SAME = 1e-10  # share of a covariate's variance at risk that the others leave


@dataclass(frozen=True, kw_only=True, eq=False)
class Climb:
    """The maximum, in units of the scaled covariates.

    Attributes
    ----------
    beta : numpy.ndarray, shape (k,)
        Coefficients.
    inverse : numpy.ndarray, shape (k, k)
        Inverse of the information there, the penalty's curvature included.
    at : Moments
        Sums over risk sets there.
    loglik, loglik_null : float
        Logarithm of the likelihood there, and with all coefficients 0; no penalty in either.
    score_test : float
        Score statistic of all coefficients being 0.
    steps : int
        Newton steps taken.
    """

    beta: Floats
    inverse: Floats
    at: Moments
    loglik: float
    loglik_null: float
    score_test: float
    steps: int


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # in flight; told apart below
def climb(
    risk: RiskSets,
    names: Sequence[str],
    *,
    ties: Ties,
    penalty: Floats | None = None,
    start: Floats | None = None,
) -> Climb:
    """Find the coefficients that make the events most likely.

    Parameters
    ----------
    risk : RiskSets
        Counts by pattern and time.
    names : sequence of str
        Covariates, for messages.
    ties : {"efron", "breslow"}
        How the events of one time are taken.
    penalty : numpy.ndarray, shape (k,), optional
        Half of it times the square of each coefficient is taken off the log-likelihood.
        Default: nothing is.
    start : numpy.ndarray, shape (k,), optional
        Where the climb begins. Default: at 0.

    Returns
    -------
    Climb
        At the maximum.

    Raises
    ------
    DataError
        If a covariate does not vary among those at risk, or is a sum of others.
    ConvergenceError
        If the likelihood has no maximum, or none is found.
    """
    drag = np.zeros(len(names)) if penalty is None else penalty
    beta = np.zeros(len(names))
    at = moments(risk, beta, ties=ties)
    loglik_null = loglik = log_likelihood(risk, beta, at)
    slope, curve = _pulled(risk, beta, at, drag)
    identified(curve, names, float(risk.events.sum()))
    score_test = float(slope @ np.linalg.solve(curve, slope))
    width = np.ptp(risk.x, axis=0)
    floor = _ROUNDING * float(np.trace(curve))
    if start is not None:
        beta, at = start, moments(risk, start, ties=ties)
        loglik = _objective(risk, beta, at, drag)
        slope, curve = _pulled(risk, beta, at, drag)
    for steps in range(1, _STEPS + 1):
        step = np.linalg.solve(curve, slope).astype(np.float64)
        if abs(slope @ step) < _GAIN and (np.abs(step) * width).max() > _MOVES:
            raise _without_maximum(step, width, names)
        higher = _uphill(risk, beta, step, loglik, ties, drag)
        if higher is None:
            raise _not_found(beta, np.abs(step), width, names)
        beta, loglik, at = higher
        slope, curve = _pulled(risk, beta, at, drag)
        if not _smallest(curve) > floor:
            raise _not_found(beta, np.abs(step), width, names)
        if np.abs(step).max() < _ARRIVED:
            return Climb(
                beta=beta, inverse=inverse_of(curve), at=at,
                loglik=log_likelihood(risk, beta, at),
                loglik_null=loglik_null, score_test=score_test, steps=steps,
            )  # fmt: skip
    raise _not_found(beta, np.abs(step), width, names)


def _not_found(beta: Floats, step: Floats, width: Floats, names: Sequence[str]) -> ConvergenceError:
    """Tell flight to infinity, which rounding can hide, from a summit that is only flat."""
    if (np.abs(beta) * width).max() > _FLIGHT:
        return _without_maximum(beta, width, names)
    return ConvergenceError(
        f"the likelihood should reach its maximum within {_STEPS} steps, but the coefficient of "
        f"{names[int(np.argmax(step))]!r} still moves. Look for extreme values, for covariates "
        "that say nearly the same, and for rare levels."
    )


def inverse_of(matrix: Floats) -> Floats:
    """Inverse, as the plain type of the house."""
    return np.linalg.inv(matrix).astype(np.float64)


def _smallest(curve: Floats) -> float:
    """Smallest eigenvalue: what the least certain mix of coefficients is known by."""
    return float(np.linalg.eigvalsh(curve)[0]) if np.isfinite(curve).all() else -np.inf


def _objective(risk: RiskSets, beta: Floats, at: Moments, drag: Floats) -> float:
    return log_likelihood(risk, beta, at) - float(drag @ beta**2) / 2


def _pulled(risk: RiskSets, beta: Floats, at: Moments, drag: Floats) -> tuple[Floats, Floats]:
    """Slope and curvature with what the penalty takes off."""
    return score(risk, at) - drag * beta, information(risk, at) + np.diag(drag)


def _uphill(
    risk: RiskSets, beta: Floats, step: Floats, loglik: float, ties: Ties, drag: Floats
) -> tuple[Floats, float, Moments] | None:
    """Go the step, or a half, a quarter ... of it, so that the likelihood does not fall."""
    slack = 1e-11 * (1 + abs(loglik))  # rounding of the sum
    for halving in range(_HALVINGS):
        tried = beta + step / 2**halving
        at = moments(risk, tried, ties=ties)
        found = _objective(risk, tried, at, drag)
        if np.isfinite(found) and found >= loglik - slack:
            return tried, found, at
    return None


def identified(curve: Floats, names: Sequence[str], events: float) -> None:
    """Refuse covariates whose coefficient could be anything."""
    own = np.diag(curve)
    for name, variance in zip(names, own, strict=True):
        if not variance > _SAME * events:
            raise DataError(
                f"covariate {name!r} must vary among those at risk together, but it does not. "
                "Leave it out."
            )
    scaled = curve / np.sqrt(np.outer(own, own))
    for j in range(1, len(names)):
        inner, with_j = scaled[:j, :j], scaled[:j, j]
        if not 1 - with_j @ np.linalg.solve(inner, with_j) > _SAME:
            raise DataError(
                f"covariate {names[j]!r} must say something that those before it do not, but it "
                f"follows from {', '.join(map(repr, names[:j]))}. Leave it out."
            )


def _without_maximum(step: Floats, width: Floats, names: Sequence[str]) -> ConvergenceError:
    moves = np.abs(step) * width
    guilty = [j for j in range(len(names)) if moves[j] >= 0.1 * moves.max()]
    said = " and ".join(f"{names[j]!r} ({'up' if step[j] > 0 else 'down'})" for j in guilty)
    return ConvergenceError(
        f"the likelihood must have a maximum, but it keeps rising as the coefficient of {said} "
        "goes to infinity: whoever had the event had the most, or the least, of it among those "
        "at risk together. Join its level with another, or leave it out."
    )
