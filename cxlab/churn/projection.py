"""How long will subscriptions last, beyond what the records have seen?

A curve of retention ends where the records do. Models of renewal go on: those who are left are
ever more loyal ones, so that a constant rate would foretell too few. Before they are believed,
the models are fitted to what was known a year ago and held against what came.
"""

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from cxlab.churn.lengths import cells_of, gathered, lengths, people_of, watched
from cxlab.churn.renewals import WEEKS, Watched, periods
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped
from cxlab.errors import ConvergenceError, ParameterError, Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy, blank, running
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.customer_base import AveragedRetention, RetentionModel

__all__ = ["RetentionProjection", "retention_projection"]

_YEAR = 13  # periods
_COUNTS = 0.01  # least weight of a model that is named
_MARK = 3  # periods between the points of the curve
_SHARE = "projection.retained_share"
_DAYS = 7 * WEEKS


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionProjection(Result):
    """Share of subscriptions that still run, as seen and as expected beyond the records.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    weights : dict of str to float
        Models of renewals, and what each one's numbers count for.
    seen_days, horizon_days : int
        How far the records reach, and how far the projection does.
    by : str or None
        What the groups are.
    """

    cycle: str
    weights: "dict[RetentionModel, float]"
    seen_days: int
    horizon_days: int
    by: str | None

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and times between which too few ended."""
        safe, least = super().protect(rules), Policy.of(rules).min_cell
        seen = (self.estimates["measure"] == "seen").to_numpy()
        hidden = safe.estimates["suppressed"].to_numpy(dtype=bool)
        hidden[seen] |= running(self.estimates.loc[seen, "count"], least)
        return replace(safe, estimates=blank(safe.estimates, hidden))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw what was seen and what is expected, each with its band."""
        rows = self._rows(_SHARE)
        rows = rows[~rows["suppressed"].astype(bool)]
        whole = pd.DataFrame({"after_days": 0.0, "estimate": 1.0, "conf_low": 1.0,
                              "conf_high": 1.0, "measure": ["seen", "expected"]})  # fmt: skip
        columns = list(whole.columns)
        frame = pd.concat([whole, rows[columns]], ignore_index=True)
        frame["years"] = frame["after_days"].astype(float) / (_YEAR * _DAYS)
        return charts.curve(
            frame, x="years", unit="share", low="conf_low", high="conf_high", group="measure",
            zero=True, axis="Share that still run, %", name="Years since the beginning", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """What is left at the horizon, and how far off such a forecast was a year ago."""
        rows = self._rows(_SHARE)
        last = rows[rows["measure"] == "expected"].iloc[-1]
        if last["suppressed"]:
            return f"Too few subscriptions have ended by {self.cycle} to foretell how many stay."
        said = (
            f"{words.value(last['estimate'], 'share')} of new subscriptions should still run "
            f"after {_years(last['after_days'])} "
            f"({words.interval(last['conf_low'], last['conf_high'], 'share')})"
        )
        gap = self._rows("projection.holdout_difference")
        if gap.empty or gap["suppressed"].iloc[0]:
            return f"{said}; whether such forecasts hold cannot be told yet."
        row = gap.iloc[0]
        off = words.change(row["estimate"], row["conf_low"], row["conf_high"], "share")
        return f"{said}. A year ago such a forecast was off by {off}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def retention_projection(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike | None = None,
    years: int | None = None,
    complete_from: date | None = None,
) -> RetentionProjection:
    """Project how many subscriptions will still run, from who renewed so far.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`.
    cycle : Cycle
        All subscriptions that had begun by its end, as known then.
    by : str or table, optional
        A column of `subscriptions`, or a table of `customer_id` and one more column; known when
        a subscription begins. Each group gets models of its own.
    years : int, optional
        How far is looked ahead, in years of 52 weeks. Default: half as far again as was seen.
    complete_from : datetime.date, optional
        First day of the records, as for `retention`.

    Returns
    -------
    RetentionProjection
        `projection.retained_share` by `after_days` and `measure` (seen, expected),
        `projection.days_to_come` of a new subscription and of one that has run for a year,
        within the horizon, in all and by group; `projection.holdout_difference`, the share
        expected a year ago less the share seen now, at the end of the records.

    Raises
    ------
    Withheld
        If fewer than ten subscriptions have ended, or none was watched for two periods.
    ConvergenceError
        If no model has a maximum that can be found.
    ParameterError
        If the horizon is less than a year.

    Notes
    -----
    Time is cut in periods of four weeks; a subscription faces a renewal at the end of each one
    that was watched whole. Shifted beta-geometric, beta-discrete-Weibull and one constant
    chance are fitted by likelihood, and averaged by their weights of AIC; where they disagree the
    intervals say so. Where customers have several subscriptions, errors carry the design effect.

    References
    ----------
    Fader & Hardie (2007), Journal of Interactive Marketing 21(1), 76-90; Fader, Hardie, Liu,
    Davin & Steenburgh (2018), Journal of Interactive Marketing 43, 1-16; for the average,
    Buckland, Burnham & Augustin (1997), Biometrics 53, 603-618.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> rng = np.random.default_rng(1)
    >>> lost = rng.geometric(rng.beta(1.0, 9.0, 800)).clip(max=1000)
    >>> began = pd.Timestamp("2016-01-01")
    >>> ended = began + pd.to_timedelta(28 * lost - 1, unit="D")
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(800), "customer_id": [f"c{i}" for i in range(800)],
    ...     "started_at": began, "ended_at": ended.where(ended < pd.Timestamp("2018-04-01"))})
    >>> found = retention_projection(held, cycle=parse_cycle("2018Q1"))
    >>> max(found.weights, key=found.weights.get), found.sentence()[:43]
    ('sBG', '13.7% of new subscriptions should still run')
    """
    if years is not None and years < 1:
        raise ParameterError(f"years must be 1 or more, but is {years}.")
    held = lengths(subscriptions, cycle, complete_from)
    whole = Watched.of(
        periods(held, "'all'", cycle, complete_from), people_of(cells_of(held, "'all'")), cycle
    )
    fit = whole.fit()
    weights = {one.model: float(w) for one, w in zip(fit.fits, fit.weights, strict=True)}
    horizon = (years or math.ceil(1.5 * len(whole.at_risk) / _YEAR)) * _YEAR
    rows = _curve_rows(whole, fit, horizon) + _to_come(whole, fit, horizon)
    rows += _checked(subscriptions, cycle, complete_from, whole)
    name: str | None = None
    without: list[str] = []
    if by is not None:
        named, name = grouped(held, by)
        own, without = _by_group(named, name, cycle, complete_from, horizon)
        rows = [{**row, name: None} for row in rows] + own
    return RetentionProjection(
        estimates=pd.DataFrame(rows),
        subtitle="Share of subscriptions that still run, %, by years since their beginning: seen, "
        "and as models go on; 95% bands",
        note=f"Base: {words.number(whole.n)} subscriptions watched for a whole period of four "
        f"weeks or until their end, of which {words.number(whole.lost.sum())} have ended by the "
        f"end of {cycle.name}. Models of renewal, weighed by how well they fit (AIC): "
        f"{_weighed(weights)}. "
        f"The records have seen {_years(len(whole.at_risk) * _DAYS)}."
        + f" Too few ended for models of their own: {words.listing(without)}."
        * bool(without),
        cycle=cycle.name,
        weights=weights,
        seen_days=len(whole.at_risk) * _DAYS,
        horizon_days=horizon * _DAYS,
        by=name,
    )


def _curve_rows(whole: Watched, fit: "AveragedRetention", horizon: int) -> list[dict[str, Any]]:
    """Rows of the shares, every third period: seen as far as ten were watched, and expected."""
    marks = np.unique(np.r_[np.arange(_MARK, horizon, _MARK), horizon])
    expected = fit.curve(horizon)
    rows = []
    for k in marks.tolist():
        row = expected.iloc[k]
        rows.append(
            estimate_row(_SHARE, *(float(row[c]) for c in ("estimate", "conf_low", "conf_high")),
                         n=whole.n, count=whole.leavers, unit="share", measure="expected",
                         method=f"maximum likelihood: {fit.method}",
                         after_days=float(k * _DAYS))
        )  # fmt: skip
    per_end = whole.leavers / float(whole.lost.sum())
    for k in marks[marks <= watched(whole.curve)].tolist():
        seen = _share_at(whole, k)
        had = float(whole.lost[:k].sum()) * per_end
        rows.append(interval_row(_SHARE, seen, unit="share", count=np.floor(had), measure="seen",
                                 after_days=float(k * _DAYS)))  # fmt: skip
    return rows


def _share_at(whole: Watched, period: int) -> Interval:
    point = whole.curve.at([period]).iloc[0]
    return Interval(
        estimate=point["estimate"], low=point["conf_low"], high=point["conf_high"], n=whole.n,
        method=whole.curve.method, level=whole.curve.level,
    )  # fmt: skip


def _to_come(
    whole: Watched, fit: "AveragedRetention", horizon: int, **dims: Any
) -> list[dict[str, Any]]:
    """Rows of the days still to come within the horizon, of new ones and after a year."""
    rows = []
    for measure, made in (("new", 0), ("after a year", _YEAR)):
        found = fit.further_renewals(made, horizon=horizon)
        days = Interval(
            estimate=_DAYS * found.estimate, low=_DAYS * found.low, high=_DAYS * found.high,
            n=whole.n, level=found.level, se=_DAYS * found.se, method=found.method,
        )  # fmt: skip
        rows.append(interval_row("projection.days_to_come", days, unit="days", measure=measure,
                                 count=whole.leavers, after_days=None, **dims))  # fmt: skip
    return rows


def _checked(
    subscriptions: TableLike,
    cycle: Cycle,
    complete_from: date | None,
    now: Watched,
) -> list[dict[str, Any]]:
    """Hold what models said a year ago against what is seen now, at the end of the records."""
    then = cycle
    while then.cutoff > cycle.cutoff - pd.Timedelta(days=364):
        then = then.previous
    try:
        held = lengths(subscriptions, then, complete_from)
        past = Watched.of(
            periods(held, "'all'", then, complete_from), people_of(cells_of(held, "'all'")), then
        )
        fit = past.fit()
    except (Withheld, ConvergenceError):
        return []
    last = watched(now.curve)
    if last <= len(past.at_risk):
        return []
    row = fit.curve(last).iloc[last]
    told = Interval(estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"],
                    n=past.n, method="models of renewal, a year before")  # fmt: skip
    gap = mover_difference(told, _share_at(now, last))
    return [interval_row("projection.holdout_difference", gap, unit="share", count=past.leavers,
                         measure=None, after_days=float(last * _DAYS))]  # fmt: skip


def _by_group(
    held: Table, name: str, cycle: Cycle, complete_from: date | None, horizon: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of the largest groups, each with models of its own, and those that have none."""
    groups, names = gathered(held, name)
    counts = periods(groups, "h.shown", cycle, complete_from)
    people = people_of(cells_of(groups, "h.shown"))
    rows: list[dict[str, Any]] = []
    without: list[str] = []
    for group in names:
        own, who = counts[counts["grp"] == group], people[people["grp"] == group]
        try:
            mine = Watched.of(own, who, cycle)
            rows += _to_come(mine, mine.fit(), horizon, **{name: group})
        except (Withheld, ConvergenceError):
            without.append(group)
    return rows, without


def _years(days: float) -> str:
    years = days / (_YEAR * _DAYS)
    return f"{words.number(years, 0 if years == int(years) else 1)} years"


def _weighed(weights: "dict[RetentionModel, float]") -> str:
    """Name the models that count for a percent at least, with their weights."""
    return words.listing(
        [f"{model} {words.number(100 * w)}%" for model, w in weights.items() if w >= _COUNTS]
    )
