"""Cox regression from counts: how covariates multiply the rate at which customers leave.

The rows are counts by covariate pattern, time and end, as an engine groups them; the answer is
exactly that for one row per person (see `ties`).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.cox.checked import checked, names_of, numbers
from cxlab.stats.cox.newton import Climb, climb
from cxlab.stats.cox.result import CoxFit
from cxlab.stats.cox.risk_sets import RiskSets, risk_sets, whole
from cxlab.stats.cox.robust import clustered, clusters_of
from cxlab.stats.cox.ties import Ties

__all__ = ["cox", "cox_at"]


def cox(
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    alike: ArrayLike | None = None,
    ties: Ties = "efron",
    level: float = 0.95,
) -> CoxFit:
    """Fit a Cox regression to counts by pattern, time and end.

    Parameters
    ----------
    covariates : pandas.DataFrame or array_like, shape (rows, k)
        Numbers, 0 and 1 for levels; columns of an array are called x1, x2, ...
    stop : array_like, shape (rows,)
        End of observation, in any unit of time.
    event : array_like, shape (rows,)
        1 where the row ends with the event, 0 where it was last seen without.
    entry : array_like, shape (rows,), optional
        Time after which the row was under observation: it counts in (entry, stop]. Late
        entries, and people whose covariates change, who have a row per stretch. Default: all
        from the start.
    strata : array_like, shape (rows,), optional
        Groups with a baseline hazard of their own.
    frequency : array_like, shape (rows,), optional
        How many such rows there are; exactly as if each stood there so often. Default: 1.
    cluster : array_like, shape (rows,), optional
        Person behind each row, where several rows of one may resemble each other; errors are
        then those of Lin and Wei. A frequency above 1 means that many rows of the same person.
    alike : array_like, shape (rows,), optional
        With `cluster`: how many people have exactly these rows. They are then grouped by all
        of their rows (by history), and each history is one cluster. Default: 1.
    ties : {"efron", "breslow"}
        How the events of one time are taken. Breslow pulls coefficients to 0 where many
        events share a time.
    level : float
        Confidence level.

    Returns
    -------
    CoxFit
        Coefficients, hazard ratios, tests; and what predictions and checks need.

    Raises
    ------
    DataError
        If a row cannot be one, there is no event, or a covariate says nothing of its own.
    ConvergenceError
        If the likelihood has no maximum; the covariates that separate are named.

    Notes
    -----
    Under Efron the events of one time must be a whole number, for it is people who leave one
    after the other. Weights that are not counts of people fit with Breslow only.

    References
    ----------
    Cox (1972), Journal of the Royal Statistical Society B 34, 187-220; Efron (1977), Journal
    of the American Statistical Association 72, 557-565; Therneau & Grambsch (2000), Modeling
    Survival Data, 3.1 and 3.3; Lin & Wei (1989), Journal of the American Statistical
    Association 84, 1074-1078.

    Examples
    --------
    >>> fit = cox([0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 2, 3], [1, 1, 0, 1, 1, 0],
    ...           frequency=[10, 10, 80, 20, 20, 60])
    >>> round(float(fit.coef[0]), 4), round(fit.hazard_ratio("x1").low, 3)
    (0.8182, 1.325)
    """

    def summit(risk: RiskSets, names: list[str], ties: Ties) -> Climb:
        return climb(risk, names, ties=ties)

    return cox_at(
        summit, covariates, stop, event, entry=entry, strata=strata, frequency=frequency,
        cluster=cluster, alike=alike, ties=ties, level=level,
    )  # fmt: skip


def cox_at(
    summit: Callable[[RiskSets, list[str], Ties], Climb],
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None,
    strata: ArrayLike | None,
    frequency: ArrayLike | None,
    cluster: ArrayLike | None = None,
    alike: ArrayLike | None = None,
    ties: Ties,
    level: float = 0.95,
) -> CoxFit:
    """Lay counts out, and fit them by whatever climbs to the summit; the rest as `cox`."""
    names, x = names_of(covariates)
    within = np.ones(len(x)) if frequency is None else numbers("frequency", frequency, len(x))
    people = within if alike is None else within * numbers("alike", alike, len(x))
    rows, labels, kept = checked(
        x, names, stop, event, entry=entry, strata=strata, frequency=people, ties=ties
    )
    if alike is not None and cluster is None:
        raise DataError("alike counts clusters, but no cluster is given. Give frequency instead.")
    clusters = None if cluster is None else clusters_of(cluster, alike, within, kept)
    risk, mean, scale = risk_sets(rows)
    if ties == "efron":
        whole(risk)
    found = summit(risk, names, ties)
    plain = sandwich = found.inverse
    if clusters is not None:
        sandwich = clustered(risk, found.at, found.inverse, clusters)
    unit = np.outer(scale, scale)
    until = np.full(len(labels), -np.inf)
    np.maximum.at(until, rows.stratum, rows.stop)
    return CoxFit(
        names=names, coef=found.beta / scale, covariance=sandwich / unit,
        model_covariance=plain / unit, clusters=clusters,
        loglik=found.loglik, loglik_null=found.loglik_null, n=float(rows.frequency.sum()),
        events=float(risk.events.sum()), ties=ties, steps=found.steps, level=level, risk=risk,
        climbed=found, mean=mean, scale=scale, strata=labels, until=until,
    )  # fmt: skip
