"""What several events at one time say, however many there are, from two sums.

Efron (1977) lets the events of one time leave the risk set one after the other, each with
an equal share of all of them. With d events, S the sum of exp(x'b) over those at risk and E
that over those with the event, the l-th of them sees S - (l/d) E, for l = 0 ... d - 1. The
likelihood needs sums over l of its logarithm and of its first two inverse powers. Frequencies
enter through d and E alone, so counted rows say exactly what replicated rows say.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "TieSums", "Ties", "tie_sums"]

Floats: TypeAlias = NDArray[np.float64]
Ties: TypeAlias = Literal["efron", "breslow"]

# So many of the last events are summed one by one, the rest by Euler and Maclaurin's formula:
# its first term left out is then below 1e-14.
_ONE_BY_ONE = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class TieSums:
    """Sums over the events l of each time, c = l/d; Breslow has c = 0 throughout.

    Attributes
    ----------
    log : numpy.ndarray, shape (times,)
        Sum of log(S - c E).
    a0, a1 : numpy.ndarray, shape (times,)
        Sums of 1 / (S - c E) and c / (S - c E).
    b0, b1, b2 : numpy.ndarray, shape (times,)
        Sums of 1, c and c squared, each over (S - c E) squared.
    """

    log: Floats
    a0: Floats
    a1: Floats
    b0: Floats
    b1: Floats
    b2: Floats


def tie_sums(d: Floats, at_risk: Floats, tied: Floats, *, ties: Ties) -> TieSums:
    """Sum over the events of each time.

    Parameters
    ----------
    d : numpy.ndarray, shape (times,)
        Events at each time: positive, and whole numbers under Efron.
    at_risk, tied : numpy.ndarray, shape (times,)
        Sums of exp(x'b) over those at risk, and over those with the event.
    ties : {"efron", "breslow"}
        How the events of one time are taken.

    Returns
    -------
    TieSums
        In the unit of `at_risk`.

    References
    ----------
    Efron (1977), Journal of the American Statistical Association 72, 557-565; Breslow
    (1974), Biometrics 30, 89-99; Euler-Maclaurin: Abramowitz & Stegun (1964), 23.1.30.

    Examples
    --------
    >>> two = np.array([2.0]), np.array([6.0]), np.array([4.0])  # 1/6 + 1/(6 - 2)
    >>> tie_sums(*two, ties="efron").a0.round(6).tolist()
    [0.416667]
    """
    if ties == "breslow":
        none = np.zeros_like(d)
        return TieSums(
            log=d * np.log(at_risk), a0=d / at_risk, a1=none, b0=d / at_risk**2, b1=none, b2=none
        )
    share = np.clip(tied / at_risk, np.finfo(float).tiny, 1.0)
    log, once, twice = _over_events(d, share)
    a0, b0 = once / at_risk, twice / at_risk**2
    # c E = S - (S - c E), so that powers of c follow from the sums without them.
    event = share * at_risk
    return TieSums(
        log=log + d * np.log(at_risk),
        a0=a0,
        a1=(once - d) / event,
        b0=b0,
        b1=(at_risk * b0 - a0) / event,
        b2=(twice - 2 * once + d) / event**2,
    )


def _over_events(d: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums over l < d of log(v), 1/v and 1/v squared, where v = 1 - share l/d."""
    step = share / d
    singly = np.arange(min(_ONE_BY_ONE, int(d.max(initial=0.0))))
    left = d[:, None] - 1 - singly  # the last events first
    value = np.where(left >= 0, 1 - step[:, None] * left, 1.0)
    used = left >= 0
    log = np.log(value).sum(axis=1)
    once, twice = ((used / value**k).sum(axis=1) for k in (1, 2))
    many = d > _ONE_BY_ONE
    if many.any():
        for total, rest in zip(
            (log, once, twice), _euler_maclaurin(d[many] - _ONE_BY_ONE, step[many]), strict=True
        ):
            total[many] += rest
    return log, once, twice


def _euler_maclaurin(n: Floats, step: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums over l < n of log(v), 1/v and 1/v squared, where v = 1 - step l."""
    last = 1 - step * n
    log_last = np.log1p(-step * n)
    # Integrals from 0 to n.
    log = -(last * log_last + step * n) / step
    once, twice = -log_last / step, n / last
    log -= log_last / 2
    once -= (1 / last - 1) / 2
    twice -= (1 / last**2 - 1) / 2
    # B_2k / (2k)! times the derivatives of order 2k - 1; y = step / v at both ends.
    y1, y0 = step / last, step
    for order, weight in ((1, 1 / 12), (3, -1 / 720), (5, 1 / 30240), (7, -1 / 1209600)):
        before = float(np.prod(np.arange(1, order)))  # (order - 1)!
        log -= weight * before * (y1**order - y0**order)
        once += weight * before * order * (y1**order / last - y0**order)
        twice += weight * before * order * (order + 1) * (y1**order / last**2 - y0**order)
    return log, once, twice
