"""Do groups renew differently for good, by more than chance, and how many of each will stay?

Curves compare what the records have seen. Models of renewals with the group as a covariate also
say what that means beyond them, and whether one law for all would do as well.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxlab.churn.lengths import FEWEST, cells_of, gathered, lengths, people_of
from cxlab.churn.renewals import WEEKS, Watched, periods
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, grouped
from cxlab.errors import ConvergenceError, ParameterError, Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.customer_base import CohortRetention, RetentionModel

__all__ = ["ProjectionByGroup", "projection_by_group"]

_YEAR = 13  # periods
_MARK = 3  # periods between the points of a curve
_DAYS = 7 * WEEKS
_SHARE, _TEST = "projection.group_share", "projection.p_group"
_MODELS: tuple["RetentionModel", ...] = ("sBG", "BdW", "geometric")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionByGroup(Result):
    """Share of each group's subscriptions that will still run, and a test of one law for all.

    Attributes
    ----------
    by : str
        What the groups are.
    horizon_days : int
        How far the projection reaches.
    """

    by: str
    horizon_days: int

    def plot(self, *, ax: Any = None) -> Any:
        """Draw what is expected of each group, with its band."""
        rows = self._shares()
        if rows.empty:
            return None
        whole = pd.DataFrame({self.by: rows[self.by].unique(), "after_days": 0.0, "estimate": 1.0,
                              "conf_low": 1.0, "conf_high": 1.0})  # fmt: skip
        frame = pd.concat([whole, rows[list(whole.columns)]], ignore_index=True)
        frame["years"] = frame["after_days"].astype(float) / (_YEAR * _DAYS)
        return charts.curve(
            frame, x="years", unit="share", low="conf_low", high="conf_high", group=self.by,
            zero=True, axis="Share expected to run, %", name="Years since the beginning", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Whether the groups differ by more than chance, and what is left of them in the end."""
        test = self.estimates[self.estimates["metric"] == _TEST].iloc[0]
        rows = self._shares()
        last = rows[rows["after_days"] == self.horizon_days].sort_values("estimate", kind="stable")
        if test["suppressed"] or len(last) < 2:
            return f"Too few subscriptions have ended to foretell by {self.by} how many stay."
        if not float(test["estimate"]) <= 1 - self.level:
            return (
                f"By {self.by}, chance alone could make subscriptions renew as differently as "
                "they did: one model of renewals for all would do."
            )
        low, high = (
            f"{words.value(row['estimate'], 'share')} of {row[self.by]} "
            f"({words.interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in (last.iloc[0], last.iloc[-1])
        )
        years = self.horizon_days / (_YEAR * _DAYS)
        return (
            f"By {self.by}, subscriptions renew differently, by more than chance would have it: "
            f"after {words.number(years)} years {high} should still run, and {low}."
        )

    def _shares(self) -> pd.DataFrame:
        shown = ~self.estimates["suppressed"].astype(bool)
        return self.estimates[shown & (self.estimates["metric"] == _SHARE)]


def projection_by_group(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike,
    years: int | None = None,
    complete_from: date | None = None,
) -> ProjectionByGroup:
    """Project how many subscriptions of each group will still run, and test one law for all.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`.
    cycle : Cycle
        All subscriptions that had begun by its end, as known then.
    by : str or table
        A column of `subscriptions`, or a table of `customer_id` and one more column; known when
        a subscription begins.
    years : int, optional
        How far is looked ahead, in years of 52 weeks. Default: half as far again as was seen.
    complete_from : datetime.date, optional
        First day of the records, as for `retention`.

    Returns
    -------
    ProjectionByGroup
        `projection.group_share` by group and `after_days`, and `projection.p_group`.

    Raises
    ------
    Withheld
        If fewer than two groups have ten endings.
    ConvergenceError
        If no model has a maximum that can be found, for all together and by group.
    ParameterError
        If the horizon is less than a year.

    Notes
    -----
    Time is cut as for `retention_projection`. The group is a covariate of each parameter of
    shifted beta-geometric, beta-discrete-Weibull and one constant chance; shares are averaged
    over these by AIC. The likelihood-ratio test is that of the model that weighs most where all
    groups have one law, a choice that knows nothing of groups. Where customers have several
    subscriptions, counts are divided by the design effect of their group.

    References
    ----------
    As for `retention_projection`; Wilks (1938), Annals of Mathematical Statistics 9, 60-62, for
    the test.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> rng = np.random.default_rng(1)
    >>> large = rng.random(1600) < 0.5
    >>> lost = rng.geometric(rng.beta(1.0, np.where(large, 20.0, 7.0))).clip(max=1000)
    >>> began = pd.Timestamp("2016-01-01")
    >>> ended = began + pd.to_timedelta(28 * lost - 1, unit="D")
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(1600), "customer_id": [f"c{i}" for i in range(1600)],
    ...     "plan": np.where(large, "large", "small"),
    ...     "started_at": began, "ended_at": ended.where(ended < pd.Timestamp("2018-04-01"))})
    >>> found = projection_by_group(held, cycle=parse_cycle("2018Q1"), by="plan")
    >>> found.sentence()[:62]
    'By plan, subscriptions renew differently, by more than chance '
    """
    if years is not None and years < 1:
        raise ParameterError(f"years must be 1 or more, but is {years}.")
    held = lengths(subscriptions, cycle, complete_from)
    held, name = grouped(held, by)
    groups, names = gathered(held, name)
    counts = periods(groups, "h.shown", cycle, complete_from)
    people = people_of(cells_of(groups, "h.shown"))
    each: dict[str, Watched] = {}
    without: list[str] = []
    for group in names:
        try:
            each[group] = Watched.of(
                counts[counts["grp"] == group], people[people["grp"] == group], cycle
            )
        except Withheld:
            mine = counts[counts["grp"] == group]
            few = float((mine["n"] * mine["over"]).sum()) < FEWEST
            said = "too few have ended" if few else "too few were watched from their beginning"
            without.append(f"{group} ({said})")
    if len(each) < 2:
        raise Withheld(
            f"A projection by {name} needs two groups of which {FEWEST} subscriptions have ended, "
            f"watched from their beginning, but by the end of {cycle.name} there is "
            f"{words.listing([*each]) or 'none'}."
        )
    longest = max(len(one.at_risk) for one in each.values())
    horizon = (years or math.ceil(1.5 * longest / _YEAR)) * _YEAR
    fits, p_value, said = _fitted(each, longest)
    rows = _curves(each, fits, horizon, name)
    n, fewest = (
        f([getattr(w, x) for w in each.values()]) for f, x in ((sum, "n"), (min, "leavers"))
    )
    rows.append(
        estimate_row(_TEST, p_value, math.nan, math.nan, n=n, count=fewest, unit="p",
                     method=f"likelihood-ratio test, {said}", after_days=None, **{name: None})
    )  # fmt: skip
    ended = sum(float(one.lost.sum()) for one in each.values())
    return ProjectionByGroup(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of subscriptions expected to run, %, by years since their beginning and "
        f"{name}; 95% bands",
        note=f"Base: {words.number(n)} subscriptions watched for a whole period of four weeks or "
        f"until their end, of which {words.number(ended)} have ended by the end of {cycle.name}. "
        f"Models of renewal with the group as covariate: {rows[0]['method'].split(': ')[1]}. "
        "A difference is no cause: groups may differ in more than the group."
        + f" Left out: {words.listing(without)}."
        * bool(without),
        by=name,
        horizon_days=horizon * _DAYS,
    )


def _fitted(each: dict[str, Watched], longest: int) -> "tuple[list[CohortRetention], float, str]":
    """Fit the models with the group as covariate; test it by the likeliest one without it."""
    from cxlab.stats.customer_base import fit_cohort_renewals

    faced, left = (
        np.array([np.pad(x, (0, longest - len(x))) for x in side])
        # A likelihood of repeated rows is worth as many strangers as the design effect leaves.
        for side in ([w.at_risk / w.effect for w in each.values()],
                     [w.lost / w.effect for w in each.values()])
    )  # fmt: skip
    groups, sizes = list(each), [one.n for one in each.values()]
    alone = pd.DataFrame(np.eye(len(groups))[:, 1:], columns=groups[1:])
    fits: list[CohortRetention] = []
    tried: list[tuple[float, CohortRetention]] = []
    reasons = []
    for model in _MODELS:
        fit = fit_cohort_renewals(faced, left, alone, sizes=sizes, model=model)
        one_law = fit_cohort_renewals(faced, left, alone[[]], sizes=sizes, model=model)
        if fit.converged and one_law.converged:
            fits.append(fit)
            tried.append((one_law.aic, fit))
        else:
            reasons.append(f"{model}: {fit.reason or one_law.reason}")
    if not fits:
        raise ConvergenceError(f"No model of renewals converged. {'; '.join(reasons)}.")
    likeliest = min(tried, key=lambda pair: pair[0])[1]
    return fits, likeliest.test().p_value, likeliest.model


def _curves(
    each: dict[str, Watched], fits: "list[CohortRetention]", horizon: int, name: str
) -> list[dict[str, Any]]:
    """Rows of the share that is expected of each group, averaged over models."""
    from cxlab.stats.customer_base import AveragedRetention

    marks = np.unique(np.r_[np.arange(_MARK, horizon, _MARK), horizon]).tolist()
    rows = []
    for place, (group, watched) in enumerate(each.items()):
        mine = AveragedRetention.weighed(
            [fit.of({group: 1.0} if place else None) for fit in fits], [fit.aic for fit in fits]
        )
        curve = mine.curve(horizon)
        for k in marks:
            row = curve.iloc[k]
            ends = (float(row[column]) for column in ("estimate", "conf_low", "conf_high"))
            dims: dict[str, Any] = {"after_days": float(k * _DAYS), name: group}
            rows.append(
                estimate_row(_SHARE, *ends, n=watched.n, count=watched.leavers, unit="share",
                             method=f"maximum likelihood: {mine.method}", **dims)
            )  # fmt: skip
    return rows
