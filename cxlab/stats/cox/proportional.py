"""Does a hazard ratio stay the same over time? A test, and how it moves if not.

The score test of adding each covariate times a function of time, as R's `cox.zph` has it since
survival 3.0; the earlier approximation reaches other verdicts on the same data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cxlab.errors import DataError
from cxlab.stats.cox.likelihood import information, schoenfeld
from cxlab.stats.cox.result import CoxFit
from cxlab.stats.cox.risk_sets import RiskSets
from cxlab.stats.cox.ties import Floats
from cxlab.stats.survival import product_limit

__all__ = ["ProportionalHazards", "Transform", "proportional_hazards"]

Transform: TypeAlias = Literal["km", "identity", "rank", "log"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProportionalHazards:
    """Test of proportional hazards, and the residuals that show how a ratio moves.

    Attributes
    ----------
    tests : pandas.DataFrame
        One row per covariate (or term) and "GLOBAL": term, statistic, df, p_value, events.
    residuals : pandas.DataFrame
        One row per stratum and event time: stratum, time, transformed, events, and a column
        per covariate: the mean scaled Schoenfeld residual of the events there plus the
        coefficient, which scatters about the coefficient at that time.
    transform : str
        Which function of time was tried.
    """

    tests: pd.DataFrame
    residuals: pd.DataFrame = field(repr=False)
    transform: Transform

    def table(self) -> pd.DataFrame:
        """Return the tests, one row per term and one for all."""
        return self.tests.copy()

    def failing(self, alpha: float = 0.05) -> list[str]:
        """Terms whose hazard ratio does not stay the same, by a test at this level."""
        single = self.tests[self.tests["term"] != "GLOBAL"]
        return list(single.loc[single["p_value"] < alpha, "term"])


def proportional_hazards(
    fit: CoxFit,
    *,
    transform: Transform = "km",
    terms: Mapping[str, Sequence[str]] | None = None,
) -> ProportionalHazards:
    """Test whether hazard ratios stay the same over time.

    Parameters
    ----------
    fit : CoxFit
        As `cox` gives it.
    transform : {"km", "identity", "rank", "log"}
        Function of time that is tried: 1 minus the pooled product-limit curve just before,
        time itself, its rank among all ends of rows, or its logarithm. Prefer "km": "rank"
        counts the censored, too, so many who end together at the last day dominate it.
    terms : mapping of str to sequence of str, optional
        Covariates that are tested together, such as the levels of one variable. Default: each
        covariate for itself.

    Returns
    -------
    ProportionalHazards
        Tests and residuals.

    Raises
    ------
    DataError
        If the transform is unknown, a time has no logarithm, a term no covariate, or a
        covariate varies at one event time only.

    Notes
    -----
    With g the function of time at the events, the test statistic of covariate j is the score
    of a coefficient of x_j g(t), all coefficients of the model beside it. It is that of the
    model: clusters do not enter, as in R.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81, 515-526; Therneau & Grambsch (2000), Modeling
    Survival Data, chapter 6; for the score form the documentation of `cox.zph` in R's
    survival 3.0.

    Examples
    --------
    >>> from cxlab.stats.cox import cox
    >>> fit = cox([0, 1] * 4, [1, 1, 2, 2, 3, 3, 4, 4], [1, 1, 1, 1, 1, 1, 0, 0],
    ...           frequency=[10, 30, 10, 20, 10, 5, 70, 45])
    >>> proportional_hazards(fit).tests["statistic"].round(3).tolist()
    [3.823, 3.823]
    """
    risk, at = fit.risk, fit.climbed.at
    values = _function_of_time(risk, transform)
    g = values - values @ risk.events / risk.events.sum()  # centred: no verdict depends on it
    each = schoenfeld(risk, at)
    slope = g @ each
    plain, first, second = (information(risk, at, by) for by in (None, g, g**2))
    # What the products with time say beyond the model's own coefficients.
    beyond = second - first.T @ np.linalg.solve(plain, first)
    _told_apart(fit.names, beyond, second, float((g**2) @ risk.events))
    rows = []
    for term, columns in (*_terms(fit, terms).items(), ("GLOBAL", range(len(fit.names)))):
        chosen = np.array(list(columns))
        u = slope[chosen]
        statistic = float(u @ np.linalg.solve(beyond[np.ix_(chosen, chosen)], u))
        p_value = float(chdtrc(len(chosen), max(statistic, 0.0)))
        rows.append((term, statistic, len(chosen), p_value, fit.events))
    tests = pd.DataFrame(rows, columns=["term", "statistic", "df", "p_value", "events"])
    return ProportionalHazards(
        tests=tests, residuals=_residuals(fit, each, values), transform=transform
    )


def _told_apart(names: Sequence[str], beyond: Floats, second: Floats, spread: float) -> None:
    """Refuse covariates whose product with time says nothing of its own."""
    for j, name in enumerate(names):
        if not (spread > 0 and beyond[j, j] > 1e-9 * second[j, j]):
            raise DataError(
                f"covariate {name!r} must vary among those at risk at two event times or more to "
                "show a change over time, but it does not."
            )


def _residuals(fit: CoxFit, each: Floats, g: Floats) -> pd.DataFrame:
    """Mean scaled Schoenfeld residual of each event time, plus the coefficient."""
    risk = fit.risk
    scaled = fit.events * each @ fit.climbed.inverse / risk.events[:, None] + fit.climbed.beta
    about: dict[str, Any] = {
        "stratum": [fit.strata[s] for s in risk.stratum],
        "time": risk.time,
        "transformed": g,
        "events": risk.events,
    }
    values = dict(zip(fit.names, (scaled / fit.scale).T, strict=True))
    return pd.DataFrame(about | values)


def _function_of_time(risk: RiskSets, transform: Transform) -> Floats:
    """Value at each slot."""
    if transform == "identity":
        return risk.time
    if transform == "log":
        if not risk.time.min() > 0:
            raise DataError(
                f"times must be above 0 to have a logarithm, but an event is at "
                f"{risk.time.min():g}. Choose transform='km'."
            )
        return np.log(risk.time)
    if transform == "rank":
        time, place = np.unique(risk.stop, return_inverse=True)
        ends = np.bincount(place, risk.frequency)
        ranks: Floats = np.cumsum(ends) - (ends - 1) / 2  # the mean rank of those who end together
        return ranks[np.searchsorted(time, risk.time)]
    if transform == "km":
        late = np.isfinite(risk.entry).any()
        had = risk.frequency * risk.had
        curve = product_limit(
            risk.stop, had, risk.frequency - had, entry=risk.entry if late else None
        )
        before = np.concatenate([[1.0], curve.survival])
        return 1 - before[np.searchsorted(curve.time, risk.time)]
    raise DataError(f"transform must be km, identity, rank or log, but is {transform!r}.")


def _terms(fit: CoxFit, terms: Mapping[str, Sequence[str]] | None) -> dict[str, list[int]]:
    """Positions of the covariates of each term."""
    if terms is None:
        return {name: [j] for j, name in enumerate(fit.names)}
    for term, names in terms.items():
        unknown = [name for name in names if name not in fit.names]
        if unknown or not names:
            raise DataError(
                f"a term must have covariates of {fit.names}, but {term!r} has {list(names)}."
            )
    return {term: [fit.names.index(name) for name in names] for term, names in terms.items()}
