"""Does what goes with leaving matter as much early in a subscription's life as late?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlab.churn.drivers import FEWEST_LEAVERS, SAID
from cxlab.churn.landmarks import landmarks
from cxlab.churn.model import counts_of, design_of, fitted
from cxlab.churn.spells import CAUSES
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row
from cxlab.stats.cox import CoxFit, proportional_hazards
from cxlab.stats.intervals import z_quantile
from cxlab.stats.multiplicity import holm

__all__ = ["RatiosByAge", "ratios_by_age"]

_BANDS = 4
_SHOWN = 3  # lines whose bands can be told apart
_WIDEST = 4.0  # of an interval, high end over low; wider ones stand in the table
_RATIO, _TEST = "churn.ratio_by_age", "churn.p_ratio_by_age"


@dataclass(frozen=True, kw_only=True, eq=False)
class RatiosByAge(Result):
    """Ratio of each sign and attribute in bands of age, from scaled Schoenfeld residuals.

    Attributes
    ----------
    cause : str
        Of what subscriptions ended.
    """

    cause: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the ratios by age, those that change most clearly and are known well enough."""
        rows = self._rows(_RATIO)
        rows = rows[~rows["suppressed"].astype(bool)]
        if rows.empty:
            return None
        width = (rows["conf_high"] / rows["conf_low"]).groupby(rows["covariate"]).max()
        tests = self._rows(_TEST).sort_values("estimate", kind="stable")["covariate"]
        narrow = [name for name in tests if width.get(name, math.inf) <= _WIDEST]
        names = narrow[:_SHOWN] or [str(width.idxmin())]
        frame = rows[rows["covariate"].isin(names)]
        frame = frame.assign(months=frame["after_days"].astype(float) * 12 / 365)
        return charts.curve(
            frame, x="months", unit="mean", low="conf_low", high="conf_high",
            group="covariate" if frame["covariate"].nunique() > 1 else None,
            axis=f"Times the rate of leaving{SAID[self.cause]}", name="Age in months", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Which ratios change with age."""
        tests = self._rows(_TEST)
        shown = tests[~tests["suppressed"].astype(bool)]
        if shown.empty:
            return "Too few left with each sign to see whether its ratio changes with age."
        changing = shown[shown["estimate"] <= 1 - self.level].sort_values("estimate", kind="stable")
        many = words.plural(len(shown), "sign and attribute", "signs and attributes")
        if changing.empty:
            return f"Of {many} none has a ratio that clearly changes with age."
        named = words.listing(list(changing["covariate"].head(3)))
        return (
            f"Of {many} the ratio changes with age for {named}: see it by age, not as one number."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def ratios_by_age(
    subscriptions: TableLike,
    signals: TableLike | None = None,
    *,
    cycle: Cycle,
    drivers: Sequence[str] = (),
    window_days: int = 91,
    cycles: int = 8,
    complete_from: date | None = None,
) -> RatiosByAge:
    """Show for each covariate of `churn_drivers` whether its ratio stays the same with age.

    Parameters
    ----------
    subscriptions, signals, cycle, drivers, window_days, cycles, complete_from
        As for `churn_drivers`.

    Returns
    -------
    RatiosByAge
        `churn.ratio_by_age` by covariate and `after_days` (mean age at leaving in four bands
        with as many leavers each), and `churn.p_ratio_by_age`: Holm's p-value
        of the scaled Schoenfeld test.

    Raises
    ------
    Withheld
        If too few left, or no sign or attribute was met by enough of them.

    Notes
    -----
    The mean of the scaled Schoenfeld residuals of a band, plus the coefficient, is near the
    coefficient at that age (Grambsch & Therneau 1994); its variance is that of the coefficient
    times the share of all events to those of the band. The first cause that enough left of.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81, 515-526; Therneau & Grambsch (2000), Modeling
    Survival Data, chapter 6.
    """
    marks = landmarks(
        subscriptions, signals, cycle=cycle, drivers=drivers, window_days=window_days,
        cycles=cycles, complete_from=complete_from,
    )  # fmt: skip
    counts = counts_of(marks)
    n = counts["n"].to_numpy(float)
    left = {c: float(n[(counts["ended"] == c).to_numpy()].sum()) for c in CAUSES}
    cause = next((c for c in CAUSES if left[c] >= FEWEST_LEAVERS), "any")
    had = (counts["ended"] == cause if cause != "any" else counts["ended"] != "none").to_numpy()
    many = float(n[had].sum())
    design = design_of(counts, marks, had)
    if many < FEWEST_LEAVERS or not design.names:
        raise Withheld(
            f"Ratios by age need {FEWEST_LEAVERS} subscriptions that ended after something was "
            f"known of them, but {words.number(many)} did."
        )
    fit = fitted(counts, design, had)
    x = design.matrix(counts)
    few = {name: float(min((n * had)[x[name] > 0].sum(), (n * had)[x[name] == 0].sum()))
           for name in design.names}  # fmt: skip
    checks = proportional_hazards(fit)
    rows = _band_rows(fit, checks.residuals, few)
    single = checks.tests[checks.tests["term"] != "GLOBAL"]
    for name, p_value in zip(single["term"], holm(single["p_value"].tolist()), strict=True):
        rows.append(
            estimate_row(
                _TEST, float(p_value), math.nan, math.nan, n=fit.n, count=few[name], unit="p",
                method=f"scaled Schoenfeld test, Holm over {len(single)}", covariate=name,
                after_days=None,
            )
        )  # fmt: skip
    return RatiosByAge(
        estimates=pd.DataFrame(rows),
        subtitle="Times the rate of leaving by age of the subscription, in bands with as many "
        "leavers each; 95% intervals",
        note=f"Base: {words.number(many)} subscriptions that ended{SAID[cause]} after a cycle "
        "began; only what was known then. Mean scaled Schoenfeld residuals. Tests are "
        "adjusted for the number of ratios.",
        cause=cause,
    )


def _band_rows(fit: CoxFit, residuals: pd.DataFrame, few: dict[str, float]) -> list[dict[str, Any]]:
    """Mean of the residuals in bands of age that hold as many events each."""
    events = residuals["events"].to_numpy(float)
    band = np.minimum((np.cumsum(events) - events / 2) * _BANDS // events.sum(), _BANDS - 1)
    rows = []
    for i in range(_BANDS):
        here = band == i
        many = float(events[here].sum())
        if not many:
            continue
        age = 7 * float(events[here] @ residuals["time"].to_numpy(float)[here]) / many
        for name in fit.names:
            middle = float(events[here] @ residuals[name].to_numpy(float)[here]) / many
            se = fit.se[list(fit.names).index(name)] * math.sqrt(fit.events / many)
            ends = (
                middle,
                middle - z_quantile(fit.level) * se,
                middle + z_quantile(fit.level) * se,
            )
            rows.append(
                estimate_row(
                    _RATIO, *(math.exp(min(end, 700.0)) for end in ends), n=many,
                    count=min(few[name], many), unit="mean",
                    method="mean scaled Schoenfeld residual", covariate=name, after_days=round(age),
                )
            )  # fmt: skip
    return rows
