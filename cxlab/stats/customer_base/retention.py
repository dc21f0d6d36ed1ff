"""How many customers with a contract renew it, time after time, and how long they will stay.

Each customer leaves at a renewal with a chance of their own. These chances follow a beta
distribution (alpha, beta), so that those who are left are ever more loyal ones: the shifted
beta-geometric model (sBG). The beta-discrete-Weibull model (BdW) also lets a customer's own
chance grow (c > 1) or fall (c < 1) with time. The geometric model gives all one constant
chance; a forecast must beat it. Counts of those who faced each renewal, and of those who
left at it, are all they need, from as many cohorts as there are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError, ParameterError
from cxlab.stats.customer_base.fit import LikelihoodFit, logit_ends, positive
from cxlab.stats.customer_base.maximum import Floats, Maximum, maximise
from cxlab.stats.customer_base.renewal_law import (
    log_survival,
    renewal_likelihood,
    shapes_to_start,
)
from cxlab.stats.intervals import Interval

__all__ = [
    "NAMES",
    "Retention",
    "RetentionModel",
    "counts_of",
    "fit_renewals",
    "fit_retention",
]

RetentionModel: TypeAlias = Literal["sBG", "BdW", "geometric"]

NAMES = {"sBG": ("alpha", "beta"), "BdW": ("alpha", "beta", "c"), "geometric": ("churn",)}
_ENOUGH = 40.0  # in logarithms: discounted by so much, a renewal is worth nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Retention(LikelihoodFit):
    """A fitted model of renewals.

    Attributes
    ----------
    model : str
        "sBG", "BdW" or "geometric".
    at_risk, lost : numpy.ndarray, shape (renewals,)
        Customers who faced renewal 1, 2, ..., and those who left at it.
    """

    model: RetentionModel
    at_risk: Floats = field(repr=False)
    lost: Floats = field(repr=False)

    def curve(self, renewals: int) -> pd.DataFrame:
        """Share of new customers who are left after 0, 1, ... renewals, within the data or beyond.

        `observed` is the product-limit share, which one cohort alone gives as a plain share.
        """
        t = np.arange(renewals + 1, dtype=np.float64)
        share, se = self.errors(lambda p: np.exp(log_survival(p, t)))
        low, high = logit_ends(share, se, self.level)
        seen = np.r_[1.0, np.cumprod(1 - self.lost / self.at_risk)][: renewals + 1]
        observed = np.r_[seen, np.full(max(len(t) - len(seen), 0), np.nan)]
        return pd.DataFrame(
            {"renewal": t.astype(np.int64), "observed": observed, "estimate": share,
             "conf_low": low, "conf_high": high, "n": self.n}
        )  # fmt: skip

    def further_renewals(
        self, made: int = 0, *, discount_rate: float = 0.0, horizon: int | None = None
    ) -> Interval:
        """Expected renewals to come of a customer who has made some and faces the next.

        Parameters
        ----------
        made : int
            Renewals made so far.
        discount_rate : float
            Per renewal period, such as 0.1 for 10 % a year. The renewal that is due now is not
            discounted, the one after it once (Fader & Hardie 2010).
        horizon : int, optional
            Renewals that are looked at. Default: all there may ever be.

        Returns
        -------
        Interval
            The expected residual lifetime in renewals, discounted if asked for (DERL).

        Raises
        ------
        ParameterError
            If the number has no bound without a discount or a horizon.

        References
        ----------
        Fader & Hardie (2010), "Customer-Base Valuation in a Contractual Setting: The Perils
        of Ignoring Heterogeneity", Marketing Science 29(1), 85-93.
        """
        self.need()
        worth = _further(self, made, discount_rate, horizon)
        value, se = self.errors(worth)
        return positive(float(value[0]), float(se[0]), n=self.n, level=self.level)

    def lifetime(self, *, discount_rate: float = 0.0, horizon: int | None = None) -> Interval:
        """Expected payments of a new customer, the first one included and not discounted.

        Parameters
        ----------
        discount_rate : float
            Per renewal period.
        horizon : int, optional
            Renewals that are looked at. Default: all there may ever be.

        Returns
        -------
        Interval
            The expected lifetime in periods, discounted if asked for (DEL).
        """
        self.need()
        worth = _further(self, 0, discount_rate, horizon)
        value, se = self.errors(lambda p: 1 + worth(p) / (1 + discount_rate))
        return positive(float(value[0]), float(se[0]), n=self.n, level=self.level)


def fit_retention(
    *cohorts: ArrayLike, model: RetentionModel = "sBG", level: float = 0.95
) -> Retention:
    """Fit a model of renewals to the survivors of one or more cohorts.

    Parameters
    ----------
    *cohorts : array_like, each of shape (renewals + 1,)
        Customers left after 0, 1, 2, ... renewals; entry 0 is the cohort's size. Younger
        cohorts are shorter.
    model : {"sBG", "BdW", "geometric"}
        Shifted beta-geometric, beta-discrete-Weibull, or one constant chance to leave.
    level : float
        Confidence level of all intervals.

    Returns
    -------
    Retention
        With `converged` and the `reason` if not; then it gives no numbers.

    Raises
    ------
    DataError
        If a count rises, or there is nothing to fit.
    ParameterError
        If there is no such model.

    References
    ----------
    Fader & Hardie (2007), "How to Project Customer Retention", Journal of Interactive
    Marketing 21(1), 76-90; Fader, Hardie, Liu, Davin & Steenburgh (2018), "'How to Project
    Customer Retention' Revisited", Journal of Interactive Marketing 43, 1-16.

    Examples
    --------
    >>> fit = fit_retention([1000, 869, 743, 653, 593, 551, 517, 491])
    >>> {name: round(value, 3) for name, value in fit.params.items()}
    {'alpha': 0.668, 'beta': 3.806}
    """
    at_risk, lost = counts_of(cohorts)
    n = float(sum(np.ravel(c)[0] for c in cohorts))
    return fit_renewals(at_risk, lost, n=n, model=model, level=level)


def fit_renewals(
    at_risk: ArrayLike,
    lost: ArrayLike,
    *,
    n: float | None = None,
    model: RetentionModel = "sBG",
    level: float = 0.95,
) -> Retention:
    """Fit a model of renewals to how many faced each of them and how many left at it.

    Parameters
    ----------
    at_risk, lost : array_like, each of shape (renewals,)
        Customers who faced renewal 1, 2, ... under observation, and those who left at it. Who
        comes under observation late faces the later ones only.
    n : float, optional
        Customers in all. Default: the most that faced one renewal.
    model : {"sBG", "BdW", "geometric"}
        As for `fit_retention`.
    level : float
        Confidence level of all intervals.

    Returns
    -------
    Retention
        With `converged` and the `reason` if not; then it gives no numbers.

    Raises
    ------
    DataError
        If more left than faced a renewal, or there is nothing to fit.
    ParameterError
        If there is no such model.

    Examples
    --------
    >>> fit = fit_renewals([1000, 869, 743, 653], [131, 126, 90, 60])
    >>> round(float(fit.curve(12)["estimate"][12]), 2)
    0.31
    """
    if model not in NAMES:
        raise ParameterError(f"model must be one of {', '.join(NAMES)}, but is {model!r}.")
    faced, left = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (at_risk, lost))
    if len(faced) != len(left) or not ((left >= 0) & (left <= faced) & (faced > 0)).all():
        raise DataError("at each renewal somebody must face it, and no more leave than do.")
    if model != "geometric" and (len(left) < 2 or not left.any()):
        raise DataError(
            f"a retention curve needs two renewals and somebody who left, but has {len(left)} "
            f"renewals and {left.sum():g} who left. Wait, or take the model geometric."
        )
    found = _constant(faced, left) if model == "geometric" else _search(faced, left, model)
    return Retention(
        model=model, names=NAMES[model], n=float(faced.max()) if n is None else n,
        level=level, at_risk=faced, lost=left, theta=found.theta, reason=found.reason,
        covariance_log=found.covariance, log_likelihood=found.value, starts=found.starts,
        agreeing=found.agreeing,
    )  # fmt: skip


def _further(
    fit: Retention, made: int, discount_rate: float, horizon: int | None
) -> Callable[[Floats], Floats]:
    """Return the sum of S(t) / S(made) / (1 + d)^(t - made - 1) as a function of the parameters."""
    if discount_rate < 0 or made < 0 or (horizon is not None and horizon < 1):
        raise ParameterError("discount_rate and made must be 0 or more, and horizon 1 or more.")
    if discount_rate == 0 and horizon is None:
        return _undiscounted(fit, made)
    last = horizon or int(np.ceil(_ENOUGH / np.log1p(discount_rate)))
    t = np.arange(made + 1, made + last + 1, dtype=np.float64)
    discount = -np.log1p(discount_rate) * np.arange(last)

    def worth(params: Floats) -> Floats:
        here = log_survival(params, np.array([float(made)]))
        return np.atleast_1d(np.exp(log_survival(params, t) - here + discount).sum())

    return worth


def _undiscounted(fit: Retention, made: int) -> Callable[[Floats], Floats]:
    if fit.model == "geometric":
        return lambda p: np.atleast_1d((1 - p[0]) / p[0])
    if fit.model == "BdW" or fit.params["alpha"] <= 1:
        raise ParameterError(
            "the expected number of renewals has no bound that these data could show. "
            "Give a discount_rate or a horizon."
        )
    # Those left after some renewals are sBG themselves, with beta + made.
    return lambda p: np.atleast_1d((p[1] + made) / (p[0] - 1))


def counts_of(cohorts: tuple[ArrayLike, ...]) -> tuple[Floats, Floats]:
    """Customers who faced renewal 1, 2, ... and those who left, of all cohorts together."""
    rows = [np.atleast_1d(np.asarray(c, dtype=np.float64)) for c in cohorts]
    longest = max((len(row) for row in rows), default=0)
    if longest < 2:
        raise DataError("a cohort needs its size and the survivors of at least one renewal.")
    at_risk, lost = np.zeros(longest - 1), np.zeros(longest - 1)
    for place, row in enumerate(rows):
        if not (np.isfinite(row).all() and (row >= 0).all() and row[0] > 0):
            raise DataError(f"survivors must be counts, but cohort {place} has {row.tolist()}.")
        rises = np.flatnonzero(np.diff(row) > 0)
        if len(rises):
            at = int(rises[0]) + 1
            raise DataError(
                f"survivors must never rise, but renewal {at} of cohort {place} has "
                f"{row[at]:g} after {row[at - 1]:g}. Give one cohort at a time."
            )
        at_risk[: len(row) - 1] += row[:-1]
        lost[: len(row) - 1] -= np.diff(row)
    faced = at_risk > 0
    return at_risk[faced], lost[faced]


def _constant(at_risk: Floats, lost: Floats) -> Maximum:
    """One chance for all: those who left, of all who faced a renewal."""
    faced, left = at_risk.sum(), lost.sum()
    churn = left / faced
    if not 0 < churn < 1:
        everybody = "everybody" if churn else "nobody"
        return Maximum(
            theta=np.zeros(1), value=0.0, covariance=np.full((1, 1), np.nan), starts=1,
            agreeing=1, reason=f"{everybody} left, so the chance is at the end of its range",
        )  # fmt: skip
    value = left * np.log(churn) + (faced - left) * np.log1p(-churn)
    return Maximum(
        theta=np.log([churn]), value=float(value), starts=1, agreeing=1, reason="",
        covariance=np.array([[(1 - churn) / left]]),
    )  # fmt: skip


def _search(at_risk: Floats, lost: Floats, model: RetentionModel) -> Maximum:
    names = NAMES[model]
    return maximise(
        lambda theta: renewal_likelihood(theta, at_risk, lost),
        shapes_to_start(at_risk, lost, len(names)), names,
    )  # fmt: skip
