"""The law of renewals: who is left after so many, its slopes, and the likelihood of counts.

Chances to leave follow a beta distribution (alpha, beta), and a customer's own chance may grow
or fall with time (c); or one constant chance holds for all (churn). Fits with one law for all,
and with a law for each cohort, stand on it.
"""

import numpy as np
from scipy.special import gammaln, psi

from cxlab.stats.customer_base.maximum import Floats

__all__ = ["log_survival", "renewal_likelihood", "shapes_to_start", "slopes_of_survival"]

_FAR = 1e4  # times the parameters: from here on, Stirling's formula has more digits
_ALL = 1 - 1e-12


def log_survival(params: Floats, renewals: Floats) -> Floats:
    """Logarithm of the share left after so many renewals: B(alpha, beta + t^c) / B(alpha, beta)."""
    if len(params) == 1:
        return np.asarray(renewals * np.log1p(-params[0]), dtype=np.float64)
    alpha, beta = params[:2]
    k = _times(params, renewals)
    far = k > _FAR * (1 + alpha + beta)
    near, shifted = np.where(far, 0.0, k), np.where(far, k + beta + (alpha - 1) / 2, 1.0)
    # Where k is large, all digits of the difference are those of its first term.
    ratio = np.where(
        far, -alpha * np.log(shifted),
        gammaln(beta + near) - gammaln(alpha + beta + near),
    )  # fmt: skip
    return np.asarray(ratio - gammaln(beta) + gammaln(alpha + beta), dtype=np.float64)


def slopes_of_survival(params: Floats, t: Floats) -> Floats:
    """Derivatives of `log_survival` by each parameter, one row each."""
    if len(params) == 1:
        return np.asarray(-t / (1 - params), dtype=np.float64)[None, :]
    alpha, beta = params[:2]
    k = _times(params, t)
    far = k > _FAR * (1 + alpha + beta)
    near, shifted = np.where(far, 0.0, k), np.where(far, k + beta + (alpha - 1) / 2, 1.0)
    by_alpha = -np.where(far, np.log(shifted), psi(alpha + beta + near))
    by_k = np.where(far, -alpha / shifted, psi(beta + near) - psi(alpha + beta + near))
    rows = [by_alpha + psi(alpha + beta), by_k - psi(beta) + psi(alpha + beta)]
    if len(params) > 2:
        rows.append(by_k * k * np.log(np.maximum(t, 1.0)))
    return np.array(rows)


def renewal_likelihood(theta: Floats, at_risk: Floats, lost: Floats) -> tuple[float, Floats]:
    """Log-likelihood of who left at renewal 1, 2, ..., and its gradient, for logarithms."""
    params = np.exp(theta)
    if len(params) == 1:
        params = np.minimum(params, _ALL)  # a step of a search may go further
    t, kept = np.arange(len(lost) + 1, dtype=np.float64), at_risk - lost
    log_q = np.minimum(np.diff(log_survival(params, t)), -1e-300)  # of staying, by renewal
    value = lost @ np.log(-np.expm1(log_q)) + kept @ log_q
    by = np.diff(slopes_of_survival(params, t), axis=1)
    # Where nobody should stay any more, who left says nothing: what e^700 divides is 0.
    gradient = by @ (kept - lost / np.expm1(np.minimum(-log_q, 700.0)))
    return float(value), gradient * params


def shapes_to_start(at_risk: Floats, lost: Floats, size: int) -> list[Floats]:
    """Logarithms of so many parameters to start from: as many leave at first as did."""
    if size == 1:
        return [np.log([min(max(lost.sum() / at_risk.sum(), 1e-6), _ALL)])]
    first = min(max(lost[0] / at_risk[0], 1e-3), 1 - 1e-3)
    return [np.log([a, a * (1 - first) / first, 1.0][:size]) for a in (0.4, 2.0, 10.0)]


def _times(params: Floats, renewals: Floats) -> Floats:
    """Renewals as the model counts them: t^c."""
    if len(params) == 2:
        return renewals
    log_k = np.minimum(params[2] * np.log(np.maximum(renewals, 1.0)), 600.0)
    return np.where(renewals > 0, np.exp(log_k), 0.0)
