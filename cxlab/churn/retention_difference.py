"""Do some groups keep their subscriptions longer, by how much, and might it be chance?"""

import math
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cxlab.churn.lengths import (
    FEWEST,
    WEEK,
    as_if,
    counted,
    curve_of,
    effect_of,
    gathered_cells,
    lengths,
    seen,
    watched,
    watched_days,
)
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, grouped
from cxlab.errors import ParameterError, Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.intervals import Interval
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival import (
    SurvivalCurve,
    Weighting,
    compare_restricted_means,
    log_rank,
    pairwise_log_rank,
    restricted_mean,
)

__all__ = ["RetentionDifference", "retention_difference"]

_EACH, _PAIR = "churn.lifetime_days", "churn.lifetime_difference"
_TEST, _HOLM = "churn.p_value", "churn.p_holm"


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionDifference(Result):
    """Mean time under contract within a horizon, by group, and each pair's difference.

    Attributes
    ----------
    by : str
        What the groups are.
    horizon_days : int
        Within which time under contract is counted.
    stem : str
        What the names of its metrics begin with.
    watched : float
        Days of the records; a longer horizon is that of a period (see `Retention`).
    """

    by: str
    horizon_days: int
    watched: float = math.inf
    stem: ClassVar[str] = "churn"

    def table(self) -> pd.DataFrame:
        """One row per group, and one per pair with its difference and p-value."""
        keys = ["within_days", self.by, "against"]
        tests = self._rows("p_holm").set_index(keys)["estimate"]
        kept = pd.concat([self._rows("lifetime_days"), self._rows("lifetime_difference")])
        each = kept.set_index(keys).index
        named = kept.assign(p_holm=[tests.get(key, np.nan) for key in each])
        return named.drop(columns=["count", "method"]).reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw each group's mean time under contract."""
        rows = self._rows("lifetime_days")
        rows = rows.sort_values(["estimate", self.by], ascending=[False, True])
        axis = f"Mean days under contract in the first {words.number(self.horizon_days)}"
        return charts.dots(rows, label=self.by, unit="days", axis=axis, ax=ax)

    def sentence(self) -> str:
        """The clearest difference, or that there is none, and what could have been seen."""
        pairs, tests = (
            self._rows(metric).reset_index(drop=True)
            for metric in ("lifetime_difference", "p_holm")
        )
        shown = pairs[~pairs["suppressed"].astype(bool) & ~tests["suppressed"].astype(bool)]
        first = f"of their first {words.number(self.horizon_days)} days"
        if shown.empty:
            return f"Too few subscriptions have ended to compare by {self.by} how long they last."
        clear = tests.loc[shown.index, "estimate"] <= 1 - self.level
        many = words.plural(len(shown), "pair")
        if not clear.any():
            return (
                f"By {self.by}, no two groups clearly differ in how long subscriptions last: "
                f"chance alone could make each difference of the {many}."
            )
        row = shown[clear].sort_values("estimate", key=abs, kind="stable").iloc[-1]
        longer = row[self.by], row["against"]
        low, high = sorted(abs(x) for x in (row["conf_low"], row["conf_high"]))
        if float(row["estimate"]) < 0:
            longer = longer[::-1]
        if float(row["conf_low"]) * float(row["conf_high"]) <= 0:
            return (
                f"By {self.by}, subscriptions end at different times ({longer[0]} against "
                f"{longer[1]}), though not clearly so by the mean {first}."
            )
        who, verb = f"ubscriptions of {longer[0]}", "last"
        if self.horizon_days > self.watched:
            who, verb = f"{as_if(self.watched)}s{who}", "would last"
        else:
            who = f"S{who}"
        return (
            f"{who} {verb} {words.value(abs(row['estimate']), 'days')} longer than those of "
            f"{longer[1]} {first} on average "
            f"({words.interval(low, high, 'days')}); {words.number(clear.sum())} of {many} differ."
        )

    def _rows(self, name: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == f"{self.stem}.{name}"]

    def _pair_of(self, one: str, other: str) -> dict[Any, Any] | None:
        """The row of one group less another, whichever way it was taken; None where not shown."""
        for row in self._rows("lifetime_difference").to_dict("records"):
            if {row[self.by], row["against"]} == {one, other} and not row["suppressed"]:
                if row[self.by] == one:
                    return row
                ends = {"estimate": -row["estimate"], "conf_low": -row["conf_high"],
                        "conf_high": -row["conf_low"]}  # fmt: skip
                return {**row, **ends, self.by: one, "against": other}
        return None


def retention_difference(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike,
    horizon_days: int = 364,
    complete_from: date | None = None,
    weighting: Weighting = "log-rank",
    p: float = 1.0,
    q: float = 0.0,
) -> RetentionDifference:
    """Compare how long subscriptions of several groups last.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`.
    cycle : Cycle
        All subscriptions that had begun by its end, as known then.
    by : str or table
        A column of `subscriptions`, or a table of `customer_id` and one more column; known when
        a subscription begins.
    horizon_days : int
        Within which time under contract is counted, in whole weeks; shortened to what was seen
        of ten subscriptions of each group.
    complete_from : datetime.date, optional
        First day of the records, as for `retention`.
    weighting, p, q
        Which durations count in the tests, as for `log_rank`.

    Returns
    -------
    RetentionDifference
        `churn.lifetime_days` of each group (the area under its curve), and of each pair
        `churn.lifetime_difference`, `churn.p_value` and `churn.p_holm`; `churn.p_value` without
        a pair tests all groups at once.

    Raises
    ------
    Withheld
        If fewer than two groups have ten endings.
    ParameterError
        If the horizon is less than a week.

    Notes
    -----
    Restricted means have Greenwood's error, tests the hypergeometric variance. Where customers
    have several subscriptions, both carry the design effect of the share that ended: chi-squared
    is divided by the larger one of the groups compared. Customers in two groups make the
    differences look less sure than they are.

    References
    ----------
    Royston & Parmar (2013), BMC Medical Research Methodology 13, 152; Rao & Scott (1981),
    Journal of the American Statistical Association 76, 221-230, on dividing by a design effect.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> ends = [pd.Timestamp("2017-03-01")] * 60 + [pd.Timestamp("2017-08-01")] * 20
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(160), "customer_id": [f"c{i}" for i in range(160)],
    ...     "started_at": pd.Timestamp("2017-01-01"), "ended_at": ends + [pd.NaT] * 80,
    ...     "plan": (["small"] * 3 + ["large"]) * 20 + ["small", "large"] * 40})
    >>> found = retention_difference(held, cycle=parse_cycle("2018Q1"), by="plan")
    >>> found.sentence()[:65]
    'Subscriptions of large last 70.0 days longer than those of small '
    """
    if horizon_days < WEEK:
        raise ParameterError(f"horizon_days must be {WEEK} or more, but is {horizon_days}.")
    held = lengths(subscriptions, cycle, complete_from)
    held, name = grouped(held, by)
    cells, names = gathered_cells(held, name)
    counts, people = counted(cells)
    people = people.set_index("grp")
    ended = counts.groupby("grp")["ended"].sum()
    few = [group for group in names if ended.get(group, 0) < FEWEST]
    names = [group for group in names if group not in few]
    if len(names) < 2:
        raise Withheld(
            f"A comparison by {name} needs two groups of which {FEWEST} subscriptions have ended, "
            f"but by the end of {cycle.name} there is {words.listing(names) or 'none'}."
        )
    curves = {group: curve_of(counts[counts["grp"] == group], people.loc[group]) for group in names}
    weeks = min(horizon_days // WEEK, *(watched(curve) for curve in curves.values()))
    if weeks < 1:
        raise Withheld(f"No week was watched of {FEWEST} subscriptions of each {name}.")
    shared = {"within_days": WEEK * weeks}
    rows = [_lifetime(curves[group], weeks, people.loc[group], **shared, **{name: group})
            for group in names]  # fmt: skip
    tests = _tests(counts, people, names, weighting=weighting, p=p, q=q)
    rows += _whole_test(tests[0], people.loc[names], **shared)
    for (one, other), p_value, p_holm in tests[1]:
        pair = {name: one, "against": other, **shared}
        rows += _pair(curves, people, (one, other), weeks, (p_value, p_holm), tests[0][2], **pair)
    frame = pd.DataFrame(rows)
    both = people.loc[names]
    return RetentionDifference(
        estimates=frame,
        subtitle=f"Mean days under contract within the first {words.number(WEEK * weeks)}, by "
        f"{name}, and differences; 95% intervals; p-values of the {tests[0][2]}",
        note=f"Base: {words.number(both['n'].sum())} subscriptions, of which "
        f"{words.number(ended[names].sum())} have ended by the end of {cycle.name}. Those that "
        "still run count as long as they have run. The p-values are Holm's, for all pairs. A "
        "difference is no cause: groups may differ in more than the group."
        + (
            f" Left out, since fewer than {FEWEST} of them have ended, from which no interval can "
            f"be had: {words.listing(few)}."
            if few
            else ""
        ),
        by=name,
        horizon_days=WEEK * weeks,
        watched=watched_days(cycle, complete_from),
    )


def _lifetime(curve: SurvivalCurve, weeks: int, people: Any, **dims: Any) -> dict[str, Any]:
    found = _days(restricted_mean(curve, weeks), float(people["n"]))
    row = interval_row(_EACH, found, unit="days", count=float(people["leavers"]), **dims)
    return _without_end(row)


def _pair(
    curves: dict[str, SurvivalCurve], people: pd.DataFrame, pair: tuple[str, str], weeks: int,
    p_values: tuple[float, float], method: str, **dims: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of the difference of two groups, and of its test."""
    sides = people.loc[list(pair)]
    size = {"n": float(sides["n"].sum()), "count": float(sides["leavers"].min())}
    found = compare_restricted_means(curves[pair[0]], curves[pair[1]], weeks).difference
    rows = [_without_end(interval_row(_PAIR, _days(found, size["n"]), unit="days",
                                      count=size["count"], **dims))]  # fmt: skip
    for metric, value, said in zip(
        (_TEST, _HOLM), p_values, (method, f"{method}, Holm over all pairs"), strict=True
    ):
        row = estimate_row(metric, value, math.nan, math.nan, unit="p", method=said, **size, **dims)
        rows.append(row | {"suppressed": not math.isfinite(value)})
    return rows


def _tests(
    counts: pd.DataFrame, people: pd.DataFrame, names: list[str], **how: Any
) -> tuple[tuple[float, float, str], list[tuple[tuple[str, str], float, float]]]:
    """Test all groups at once, and each pair; design effects taken into account."""
    each = [seen(counts[counts["grp"] == group]) for group in names]
    group = np.repeat(names, [len(x.week) for x in each])
    week, ended, open_, entry = (
        np.concatenate([getattr(x, part) for x in each])
        for part in ("week", "ended", "open", "entry")
    )
    late: dict[str, Any] = {"entry": entry} if entry.any() else {}
    whole = log_rank(week, ended, open_, group=group, **late, **how)
    effect = {name: effect_of(people.loc[name]) for name in names}
    found = (
        whole.statistic,
        float(chdtrc(whole.df, whole.statistic / max(effect.values()))) if whole.df else math.nan,
        whole.method,
    )
    table = pairwise_log_rank(week, ended, open_, group=group, **late, **how)
    statistic = {
        frozenset((row["group"], row["against"])): float(row["statistic"])
        for row in table.to_dict("records")
    }
    pairs = list(combinations(names, 2))
    p_values = [
        float(chdtrc(1, statistic[frozenset(pair)] / max(effect[x] for x in pair)))
        for pair in pairs
    ]
    known = np.isfinite(p_values)
    adjusted = np.full(len(p_values), np.nan)
    adjusted[known] = holm(list(np.array(p_values)[known]))
    return found, list(zip(pairs, p_values, adjusted.tolist(), strict=True))


def _whole_test(test: tuple[float, float, str], people: pd.DataFrame, **dims: Any) -> list[Any]:
    _, p_value, method = test
    row = estimate_row(
        _TEST, p_value, math.nan, math.nan, n=float(people["n"].sum()), unit="p",
        method=f"{method} of all groups", count=float(people["leavers"].min()), **dims,
    )  # fmt: skip
    return [row | {"suppressed": not math.isfinite(p_value)}]


def _days(found: Interval, n: float) -> Interval:
    return Interval(
        estimate=WEEK * found.estimate, low=WEEK * found.low, high=WEEK * found.high, n=n,
        method=found.method, level=found.level, se=WEEK * found.se,
    )  # fmt: skip


def _without_end(row: dict[str, Any]) -> dict[str, Any]:
    """Withhold a number whose interval has no end: it does not travel alone."""
    if math.isfinite(row["conf_low"]) and math.isfinite(row["conf_high"]):
        return row
    return row | {"estimate": math.nan, "conf_low": math.nan, "conf_high": math.nan,
                  "suppressed": True}  # fmt: skip
