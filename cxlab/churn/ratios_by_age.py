"""Does what goes with leaving matter as much early in a subscription's life as late?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.churn.model import Design, leavers
from cxlab.churn.spells import SAID
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row
from cxlab.stats.cox import CoxFit
from cxlab.stats.intervals import z_quantile

__all__ = ["RatiosByAge", "by_age"]

_BANDS = 4
_SHOWN = 3  # lines whose bands can be told apart
_WIDEST = 4.0  # of an interval, high end over low; wider ones stand in the table
_RATIO = "churn.ratio_by_age"
_LARGEST = 700.0  # logarithm of a number that a float can hold


@dataclass(frozen=True, kw_only=True, eq=False)
class RatiosByAge(Result):
    """Ratio of each sign and attribute in bands of age, from scaled Schoenfeld residuals.

    Attributes
    ----------
    cause : str
        Of what subscriptions ended.
    p_values : mapping of str to float
        By covariate, how often chance alone would make a ratio that stays look as uneven.
    """

    cause: str
    p_values: Mapping[str, float] = field(repr=False)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the ratios by age, those that change most clearly and are known well enough."""
        rows = self.estimates[~self.estimates["suppressed"].astype(bool)]
        if rows.empty:
            return None
        width = (rows["conf_high"] / rows["conf_low"]).groupby(rows["covariate"]).max()
        narrow = [name for name in self._clearest() if width.get(name, math.inf) <= _WIDEST]
        names = narrow[:_SHOWN] or [str(width.idxmin())]
        frame = rows[rows["covariate"].isin(names)]
        frame = frame.assign(after_days=frame["after_days"].astype(float))
        return charts.curve(
            frame, x="after_days", unit="mean", low="conf_low", high="conf_high",
            group="covariate" if frame["covariate"].nunique() > 1 else None,
            axis=f"Times the rate of leaving{SAID[self.cause]}", name="Age in days", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Which ratios change with age."""
        if self.estimates["suppressed"].astype(bool).all():
            return "Too few left with each sign to see whether its ratio changes with age."
        many = words.plural(len(self.p_values), "sign and attribute", "signs and attributes")
        changing = [name for name in self._clearest() if self.p_values[name] <= 1 - self.level]
        if not changing:
            return f"Of {many} none has a ratio that clearly changes with age."
        named = words.listing(changing[:3])
        return (
            f"Of {many} the ratio changes with age for {named}: see it by age, not as one number."
        )

    def _clearest(self) -> list[str]:
        """Covariates, those first whose ratio changes most clearly."""
        return sorted(self.p_values, key=lambda name: self.p_values[name])


def by_age(
    counts: pd.DataFrame,
    design: Design,
    had: NDArray[np.bool_],
    cause: str,
    fit: CoxFit,
    residuals: pd.DataFrame,
    p_values: Mapping[str, float],
) -> RatiosByAge:
    """Show for each covariate of a fit whether its ratio stays the same with age.

    Parameters
    ----------
    counts, design, had, cause
        As the fit was made of them.
    fit : CoxFit
        Of that cause, with age as the time scale.
    residuals : pandas.DataFrame
        From `proportional_hazards`.
    p_values : mapping of str to float
        Of the scaled Schoenfeld tests, adjusted for their number.

    Returns
    -------
    RatiosByAge
        `churn.ratio_by_age` by covariate and `after_days`: the mean age at leaving in four
        bands with as many leavers each.

    Notes
    -----
    The mean of the scaled Schoenfeld residuals of a band, plus the coefficient, is near the
    coefficient at that age (Grambsch & Therneau 1994); its variance is that of the coefficient
    times the share of all events to those of the band.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81, 515-526; Therneau & Grambsch (2000), Modeling
    Survival Data, chapter 6.
    """
    events = residuals["events"].to_numpy(float)
    time = residuals["time"].to_numpy(float)
    band = np.minimum((np.cumsum(events) - events / 2) * _BANDS // events.sum(), _BANDS - 1)
    stop = counts["stop"].to_numpy(float)
    rows: list[dict[str, Any]] = []
    for i in np.unique(band):
        here = band == i
        few = leavers(counts, design, had & np.isin(stop, time[here]))
        rows += _band(fit, residuals[here], few)
    many = float(counts["n"].to_numpy(float)[had].sum())
    return RatiosByAge(
        estimates=pd.DataFrame(rows),
        subtitle="Times the rate of leaving by age of the subscription, in bands with as many "
        "leavers each; 95% intervals",
        note=f"Base: {words.number(many)} subscriptions that ended{SAID[cause]} after a cycle "
        "began; only what was known then. Mean scaled Schoenfeld residuals; whether a ratio "
        "changes is told by their test, adjusted for the number of ratios.",
        cause=cause,
        p_values=p_values,
    )


def _band(fit: CoxFit, residuals: pd.DataFrame, few: Mapping[str, float]) -> list[dict[str, Any]]:
    """Rows of one band of age; `few` left in it with a covariate, or without it."""
    events = residuals["events"].to_numpy(float)
    many = float(events.sum())
    age = round(7 * float(events @ residuals["time"].to_numpy(float)) / many)
    rows = []
    for name, se in zip(fit.names, fit.se, strict=True):
        middle = float(events @ residuals[name].to_numpy(float)) / many
        far = z_quantile(fit.level) * float(se) * math.sqrt(fit.events / many)
        ends = (math.exp(min(end, _LARGEST)) for end in (middle, middle - far, middle + far))
        row = estimate_row(
            _RATIO, *ends, n=many, count=few[name], unit="mean",
            method="mean scaled Schoenfeld residual", covariate=name, after_days=age,
        )  # fmt: skip
        rows.append(row | {"suppressed": not math.isfinite(far)})
    return rows
