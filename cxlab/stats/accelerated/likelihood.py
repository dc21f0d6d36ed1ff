"""The likelihood of times whose logarithm is a line plus noise, with slope and curvature.

With 1/scale and the coefficients over the scale as parameters it is concave (Burridge 1981).
"""

from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit, log_ndtr

from cxlab.stats.cox.risk_sets import Rows
from cxlab.stats.cox.ties import Floats

__all__ = ["Distribution", "likelihood", "shape"]

Distribution: TypeAlias = Literal["weibull", "exponential", "log-normal", "log-logistic"]
_Parts: TypeAlias = tuple[Floats, Floats, Floats]  # value, slope, curvature


def likelihood(
    rows: Rows, x: Floats, at: Floats, distribution: Distribution
) -> tuple[float, Floats, Floats]:
    """Log-likelihood, slope and negative curvature by (coefficients / scale, 1 / scale)."""
    f, had, pace = rows.frequency, rows.event, at[-1]
    value, slope, curve = 0.0, np.zeros(len(at)), np.zeros((len(at), len(at)))
    late = rows.entry > 0  # those who entered at 0 or before were there from the start
    for log_time, chosen, of_event, sign in (
        (np.log(rows.stop), had, True, 1.0),
        (np.log(rows.stop), ~had, False, 1.0),
        (np.log(np.where(late, rows.entry, 1.0)), late, False, -1.0),
    ):
        y, weight = log_time[chosen], sign * f[chosen]
        by = np.column_stack([-x[chosen], y])  # z is linear in the parameters
        density, share = shape(distribution, by @ at)
        log, first, second = density if of_event else share
        value += float(weight @ log)
        slope += by.T @ (weight * first)
        curve -= by.T @ ((weight * second)[:, None] * by)
    events = float(f @ had)
    value += events * float(np.log(pace)) - float((f * had) @ np.log(rows.stop))
    slope[-1] += events / pace
    curve[-1, -1] += events / pace**2
    return value, slope, curve


def shape(distribution: Distribution, z: Floats) -> tuple[_Parts, _Parts]:
    """Log density and log share above z, each with its slope and curvature."""
    if distribution == "log-normal":
        log_share = log_ndtr(-z)
        log_density = -(z**2) / 2 - np.log(2 * np.pi) / 2
        hazard = np.exp(log_density - log_share)
        return (
            (log_density, -z, -np.ones_like(z)),
            (log_share, -hazard, -hazard * (hazard - z)),
        )
    if distribution == "log-logistic":
        p, log_share = expit(z), -np.logaddexp(0.0, z)
        bend = p * (1 - p)
        return (z + 2 * log_share, 1 - 2 * p, -2 * bend), (log_share, -p, -bend)
    growth = np.exp(z)
    return (z - growth, 1 - growth, -growth), (-growth, -growth, -growth)
