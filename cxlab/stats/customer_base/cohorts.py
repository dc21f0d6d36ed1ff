"""How cohorts with covariates renew: does retention differ with plan, region, or how they were won?

Each cohort has a law of renewals of its own (sBG or BdW), whose parameters are log-linear in
the covariates of the cohort: alpha = exp(a0 + a'x), beta = exp(b0 + b'x), and for BdW
c = exp(c0 + c'x); one constant chance to leave is exp(d0 + d'x). A parameter is thus multiplied
by exp(a) for each unit of a covariate. All parameters take all covariates, since one that acts
on alpha alone would say that it moves the mean chance to leave and how much customers differ in
it by one rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cxlab.errors import DataError, ParameterError
from cxlab.stats.cox.checked import names_of
from cxlab.stats.customer_base.fit import LikelihoodFit
from cxlab.stats.customer_base.maximum import Floats, maximise
from cxlab.stats.customer_base.renewal_law import renewal_likelihood, shapes_to_start
from cxlab.stats.customer_base.retention import NAMES, Retention, RetentionModel, counts_of

__all__ = ["CohortRetention", "RatioTest", "fit_cohort_renewals", "fit_cohorts"]

_SAME = 1e-8  # of a covariate's size: what is left of it below this is rounding


@dataclass(frozen=True, kw_only=True)
class RatioTest:
    """A likelihood-ratio test: whether chance alone could make covariates tell so much."""

    statistic: float
    df: int
    p_value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortRetention(LikelihoodFit):
    """A model of renewals with covariates of cohorts.

    Its parameters are those of a cohort whose covariates are all 0, and what each is multiplied
    by for a unit of a covariate, such as "alpha, plan: large".

    Attributes
    ----------
    model : str
        "sBG", "BdW" or "geometric".
    at_risk, lost : numpy.ndarray, shape (patterns, renewals)
        Customers who faced renewal 1, 2, ..., and those who left at it, by pattern of covariates.
    covariates : pandas.DataFrame, shape (patterns, covariates)
        The patterns.
    sizes : numpy.ndarray, shape (patterns,)
        Customers of each.
    """

    model: RetentionModel
    at_risk: Floats = field(repr=False)
    lost: Floats = field(repr=False)
    covariates: pd.DataFrame = field(repr=False)
    sizes: Floats = field(repr=False)

    def of(self, covariates: Mapping[str, float] | None = None) -> Retention:
        """Give the model of cohorts with these covariates.

        Parameters
        ----------
        covariates : mapping of str to float, optional
            Those that are not named are 0.

        Returns
        -------
        Retention
            With errors from the whole fit, whose log-likelihood it also bears. Its n is that of
            cohorts with just these covariates, and of all where there are none.

        Raises
        ------
        ParameterError
            If there is no such covariate.
        """
        given, known = dict(covariates or {}), [str(name) for name in self.covariates]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ParameterError(f"there is no covariate {unknown[0]!r}, only {known}.")
        x = np.array([float(given.get(name, 0.0)) for name in known])
        names = NAMES[self.model]
        to = np.kron(np.eye(len(names)), np.r_[1.0, x])
        same = (self.covariates.to_numpy(dtype=np.float64) == x).all(axis=1)
        at_risk, lost = self.at_risk[same].sum(axis=0), self.lost[same].sum(axis=0)
        seen = np.cumprod(at_risk > 0).astype(bool)
        return Retention(
            model=self.model, names=names, log_likelihood=self.log_likelihood, level=self.level,
            n=float(self.sizes[same].sum()) if same.any() else self.n, reason=self.reason,
            starts=self.starts, agreeing=self.agreeing, theta=to @ self.theta,
            covariance_log=to @ self.covariance_log @ to.T, at_risk=at_risk[seen], lost=lost[seen],
        )  # fmt: skip

    def test(self, covariates: Sequence[str] | None = None) -> RatioTest:
        """Test covariates by likelihood ratio, against a fit without them.

        Parameters
        ----------
        covariates : sequence of str, optional
            Those that are tested together. Default: all.

        Returns
        -------
        RatioTest
            With one degree of freedom per covariate and parameter of the model.

        Raises
        ------
        ConvergenceError
            If one of the two fits did not converge.
        ParameterError
            If there is no such covariate.
        """
        known = list(self.covariates)
        chosen = known if covariates is None else list(covariates)
        if not chosen or not set(chosen) <= set(known):
            raise ParameterError(f"a test needs covariates of {known}, but was given {chosen}.")
        self.need()
        simpler = fit_cohort_renewals(
            self.at_risk, self.lost, self.covariates.drop(columns=chosen), sizes=self.sizes,
            model=self.model, level=self.level,
        )  # fmt: skip
        simpler.need()
        statistic = max(2 * (self.log_likelihood - simpler.log_likelihood), 0.0)
        df = len(set(chosen)) * len(NAMES[self.model])
        return RatioTest(statistic=statistic, df=df, p_value=float(chdtrc(df, statistic)))


def fit_cohorts(
    cohorts: Sequence[ArrayLike],
    covariates: pd.DataFrame,
    *,
    model: RetentionModel = "sBG",
    level: float = 0.95,
) -> CohortRetention:
    """Fit a model of renewals with covariates to the survivors of cohorts.

    Parameters
    ----------
    cohorts : sequence of array_like, each of shape (renewals + 1,)
        Customers left after 0, 1, 2, ... renewals, as for `fit_retention`.
    covariates : pandas.DataFrame, shape (cohorts, covariates)
        Numbers; each level of a factor but one has a column of 0 and 1.
    model : {"sBG", "BdW", "geometric"}
        As for `fit_retention`.
    level : float
        Confidence level of all intervals.

    Returns
    -------
    CohortRetention
        With `converged` and the `reason` if not; then it gives no numbers.

    Raises
    ------
    DataError
        If a count rises, there is nothing to fit, or a covariate cannot be told apart.
    ParameterError
        If there is no such model.

    References
    ----------
    Fader & Hardie (2007), "How to Project Customer Retention", Journal of Interactive
    Marketing 21(1), 76-90, for the model; Fader & Hardie (2007), "Incorporating Time-Invariant
    Covariates into the Pareto/NBD and BG/NBD Models", for parameters log-linear in covariates.

    Examples
    --------
    >>> high_end = [1000, 869, 743, 653, 593, 551, 517, 491]
    >>> regular = [1000, 631, 468, 382, 326, 289, 262, 241]
    >>> fit = fit_cohorts([high_end, regular], pd.DataFrame({"regular": [0, 1]}))
    >>> {name: round(value, 3) for name, value in fit.of({"regular": 1}).params.items()}
    {'alpha': 0.704, 'beta': 1.182}
    >>> fit.test().p_value < 1e-9
    True
    """
    counts = [counts_of((cohort,)) for cohort in cohorts]
    longest = max((len(lost) for _, lost in counts), default=0)
    at_risk, lost = (
        np.array([np.pad(pair[side], (0, longest - len(pair[side]))) for pair in counts])
        for side in (0, 1)
    )
    sizes = np.array([float(np.ravel(cohort)[0]) for cohort in cohorts])
    return fit_cohort_renewals(at_risk, lost, covariates, sizes=sizes, model=model, level=level)


def fit_cohort_renewals(
    at_risk: ArrayLike,
    lost: ArrayLike,
    covariates: pd.DataFrame,
    *,
    sizes: ArrayLike | None = None,
    model: RetentionModel = "sBG",
    level: float = 0.95,
) -> CohortRetention:
    """Fit a model of renewals with covariates to how many faced each of them and left at it.

    Parameters
    ----------
    at_risk, lost : array_like, shape (cohorts, renewals)
        Customers who faced renewal 1, 2, ... under observation, and those who left at it; 0
        where nobody of a cohort was watched.
    covariates : pandas.DataFrame, shape (cohorts, covariates)
        As for `fit_cohorts`. Without a column, the fit is that of all cohorts together.
    sizes : array_like, shape (cohorts,), optional
        Customers of each cohort. Default: the most that faced one renewal.
    model : {"sBG", "BdW", "geometric"}
        As for `fit_cohorts`.
    level : float
        Confidence level of all intervals.

    Returns
    -------
    CohortRetention
        With `converged` and the `reason` if not; then it gives no numbers.

    Raises
    ------
    DataError
        If more left than faced a renewal, there is nothing to fit, or a covariate cannot be
        told apart from the others.
    ParameterError
        If there is no such model.
    """
    if model not in NAMES:
        raise ParameterError(f"model must be one of {', '.join(NAMES)}, but is {model!r}.")
    names, x = names_of(covariates)
    if not np.isfinite(x).all():
        raise DataError("covariates must be numbers of each cohort, but some are missing.")
    faced, left = (np.atleast_2d(np.asarray(v, dtype=np.float64)) for v in (at_risk, lost))
    if faced.shape != left.shape or len(faced) != len(x):
        raise DataError(
            "at_risk and lost must have one row per row of covariates, but have shapes "
            f"{faced.shape} and {left.shape} beside {len(x)} rows."
        )
    if not ((left >= 0) & (left <= faced)).all() or not (faced.sum(axis=0) > 0).all():
        raise DataError("at each renewal somebody must face it, and no more leave than do.")
    if model != "geometric" and (faced.shape[1] < 2 or not left.any()):
        raise DataError(
            f"a retention curve needs two renewals and somebody who left, but has {faced.shape[1]} "
            f"renewals and {left.sum():g} who left. Wait, or take the model geometric."
        )
    own = faced.max(axis=1) if sizes is None else np.asarray(sizes, dtype=np.float64)
    # Cohorts with the same covariates have one law: their counts add up.
    patterns, place = np.unique(x, axis=0, return_inverse=True)
    member = (place.reshape(-1) == np.arange(len(patterns))[:, None]).astype(np.float64)
    return _fitted(
        member @ faced, member @ left, pd.DataFrame(patterns, columns=names),
        member @ own, model, level,
    )  # fmt: skip


def _fitted(
    faced: Floats, left: Floats, patterns: pd.DataFrame, sizes: Floats, model: RetentionModel,
    level: float,
) -> CohortRetention:  # fmt: skip
    names, x = NAMES[model], patterns.to_numpy(dtype=np.float64)
    middle, spread = _scale(x, sizes)
    z = np.column_stack([np.ones(len(x)), (x - middle) / spread])
    _told_apart(z, [str(name) for name in patterns])

    def objective(theta: Floats) -> tuple[float, Floats]:
        # One row of `theta` per parameter: its logarithm is linear in the covariates.
        logs = z @ theta.reshape(len(names), -1).T
        each = [renewal_likelihood(*row) for row in zip(logs, faced, left, strict=True)]
        by_log = np.array([gradient for _, gradient in each])
        return sum(value for value, _ in each), (by_log.T @ z).ravel()

    alike = shapes_to_start(faced.sum(axis=0), left.sum(axis=0), len(names))
    starts = [np.column_stack([s, np.zeros((len(s), x.shape[1]))]).ravel() for s in alike]
    said = tuple(
        name if covariate is None else f"{name}, {covariate}"
        for name in names for covariate in (None, *patterns)
    )  # fmt: skip
    found = maximise(objective, starts, said)
    # Covariates were centred and scaled for the search; the numbers are of those given.
    one = np.diag(np.r_[1.0, 1 / spread])
    one[0, 1:] = -middle / spread
    back = np.kron(np.eye(len(names)), one)
    return CohortRetention(
        model=model, names=said, log_likelihood=found.value, n=float(sizes.sum()),
        reason=found.reason, starts=found.starts, agreeing=found.agreeing, level=level,
        theta=back @ found.theta, covariance_log=back @ found.covariance @ back.T,
        at_risk=faced, lost=left, covariates=patterns, sizes=sizes,
    )  # fmt: skip


def _scale(x: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Mean and spread of each covariate over customers."""
    share = sizes / sizes.sum()
    middle = share @ x
    spread = np.sqrt(share @ (x - middle) ** 2)
    return middle, np.where(spread > _SAME * (1 + np.abs(middle)), spread, 1.0)


def _told_apart(z: Floats, names: list[str]) -> None:
    """Refuse a covariate that says nothing beyond those before it."""
    for k, name in enumerate(names, start=1):
        before, column = z[:, :k], z[:, k]
        rest = column - before @ np.linalg.lstsq(before, column, rcond=None)[0]
        if not np.linalg.norm(rest) > _SAME * max(float(np.linalg.norm(column)), 1.0):
            others = ", ".join(names[: k - 1]) or "a constant"
            raise DataError(
                f"covariate {name!r} must tell cohorts apart in its own way, but follows from "
                f"{others}. Leave one out."
            )
