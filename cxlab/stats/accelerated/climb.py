"""Newton's method for accelerated failure times: up to the one maximum, or why there is none."""

import numpy as np

from cxlab.errors import ConvergenceError
from cxlab.stats.accelerated.likelihood import Distribution, likelihood
from cxlab.stats.cox.risk_sets import Rows
from cxlab.stats.cox.ties import Floats

__all__ = ["climb"]

_STEPS = 100
_HALVINGS = 40
_ARRIVED = 1e-9
# A step that still moves somebody's log time by so much of the scale while so little likelihood is
# left to gain: no finite maximum is like that. Under the log-normal such steps shrink themselves.
_MOVES, _GAIN = 0.05, 1e-6


def climb(
    rows: Rows, x: Floats, start: Floats, names: list[str], distribution: Distribution
) -> tuple[Floats, Floats, float]:
    """Maximum in (coefficients / scale, 1 / scale), its curvature and likelihood."""
    fixed = distribution == "exponential"
    free = slice(0, len(start) - fixed)
    at = start.copy()
    value, slope, curve = likelihood(rows, x, at, distribution)
    for _ in range(_STEPS):
        step = np.zeros(len(at))
        step[free] = _ascent(curve[free, free], slope[free])
        moves = np.abs(step[:-1]) * np.ptp(x, axis=0)
        if len(names) > 1 and abs(slope @ step) < _GAIN and moves.max() > _MOVES:
            raise _no_maximum(step, moves, names)
        at, value, slope, curve = _uphill(rows, x, at, step, value, distribution)
        if np.abs(step).max() < _ARRIVED * (1 + np.abs(at).max()):
            return at, curve, value
    raise ConvergenceError(
        f"the likelihood should reach its maximum within {_STEPS} steps, but does not. Try another "
        "distribution, or join rare levels."
    )


def _ascent(curve: Floats, slope: Floats) -> Floats:
    """Newton's step, or along the slope where the curvature is not that of a summit."""
    values, vectors = np.linalg.eigh(curve)
    floor = 1e-14 * np.abs(values).max()
    step: Floats = vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), floor))
    return step


def _uphill(
    rows: Rows, x: Floats, at: Floats, step: Floats, value: float, distribution: Distribution
) -> tuple[Floats, float, Floats, Floats]:
    for halving in range(_HALVINGS):
        tried = at + step / 2**halving
        if tried[-1] > 0:
            with np.errstate(over="ignore", invalid="ignore"):
                found = likelihood(rows, x, tried, distribution)
            if np.isfinite(found[0]) and found[0] >= value - 1e-11 * (1 + abs(value)):
                return tried, *found
    raise ConvergenceError(
        "the likelihood should rise along its slope, but does not. Look for covariates "
        "with extreme values."
    )


def _no_maximum(step: Floats, moves: Floats, names: list[str]) -> ConvergenceError:
    worst = int(np.argmax(moves))
    way = "up" if step[worst] > 0 else "down"
    return ConvergenceError(
        f"the likelihood must have a maximum, but it keeps rising as the coefficient of "
        f"{names[worst]!r} ({way}) goes to infinity: a level of it has no event. Join it with "
        "another, or leave it out."
    )
