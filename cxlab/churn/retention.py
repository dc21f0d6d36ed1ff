"""How long do subscriptions last, when most of them still run?"""

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
import pandas as pd

from cxlab.churn.lengths import (
    FEWEST,
    WEEK,
    as_if,
    cells_of,
    counted,
    curve_of,
    gathered_cells,
    lengths,
    watched_days,
)
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy, blank, running
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.intervals import Interval

__all__ = ["Retention", "retention"]

_YEAR = 365


@dataclass(frozen=True, kw_only=True, eq=False)
class Retention(Result):
    """Share of subscriptions that still run after so long, by group.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    by : str or None
        What the groups are.
    watched : float
        Days of the records. Where the curve goes on for longer, nobody was followed along it: it
        joins what was seen at each age, as the life table of a period does.
    """

    cycle: str
    by: str | None
    watched: float = math.inf

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and times between which too few ended."""
        safe, least = super().protect(rules), Policy.of(rules).min_cell
        curve = self.estimates["metric"] == "churn.retained_share"
        at_risk = self.estimates["metric"] == "churn.at_risk"
        close = pd.Series(False, index=self.estimates.index)
        groups = self.estimates[self.by].fillna("") if self.by else curve
        for name, rows in self.estimates[curve].groupby(groups[curve]):
            close[rows.index] = near = running(rows["count"], least)
            # How many were left at two times tells how many went in between.
            mine = at_risk & (groups == name)
            close |= mine & self.estimates["after_days"].isin(rows.loc[near, "after_days"])
        hidden = safe.estimates["suppressed"].to_numpy(dtype=bool) | close.to_numpy()
        return replace(safe, estimates=blank(safe.estimates, hidden))

    def table(self) -> pd.DataFrame:
        """One row per group and time: the share, and how many were watched until then."""
        rows = self.estimates[self.estimates["metric"] != "churn.at_risk"]
        table = replace(self, estimates=self._beside(rows)).estimates
        return table.drop(columns=["count", "method"]).reset_index(drop=True)

    def _beside(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Set the number at risk beside the share of the same group and time."""
        keys = ["after_days", *([self.by] if self.by else [])]
        risk = self._rows("churn.at_risk")[[*keys, "estimate"]]
        risk = risk.rename(columns={"estimate": "at_risk"})
        return rows.merge(risk, on=keys, how="left", validate="many_to_one")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw a falling curve per group, with its band and those still watched beneath."""
        rows = self._beside(self._rows("churn.retained_share"))
        shown = rows[~rows["suppressed"].astype(bool)]
        label = "group" if self.by is None else self.by
        if self.by is not None and shown[self.by].notna().any():
            lines = shown[shown[self.by].notna()]  # the curve of all stands in the table
        else:
            lines = (shown if len(shown) else rows).assign(**{label: "all"})
        names = ["after_days", "estimate", "conf_low", "conf_high", "at_risk"]
        whole = pd.DataFrame([[0.0, 1.0, 1.0, 1.0, np.nan]], columns=names)
        frame = pd.concat(
            [
                pd.concat([whole, lot[names].astype(float)]).assign(**{label: name})
                for name, lot in lines.groupby(label, sort=False)
            ],
            ignore_index=True,
        )
        return charts.curve(
            frame, x="after_days", unit="share", low="conf_low", high="conf_high",
            group=label if frame[label].nunique() > 1 else None, zero=True,
            axis="Share that still run, %", name="Days since the beginning",
            beneath="at_risk", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many still run after a year, and by when half have ended."""
        rows = self._rows("churn.retained_share")
        whole = rows[rows[self.by].isna()] if self.by else rows
        known = whole[~whole["suppressed"].astype(bool)]
        if known.empty:
            return f"Too few subscriptions have ended by {self.cycle} to show how long they last."
        early = known["after_days"] <= max(_YEAR, float(known["after_days"].min()))
        at = known[early].iloc[-1]
        share = words.value(at["estimate"], "share")
        after = words.plural(at["after_days"], "day")
        ends = words.interval(at["conf_low"], at["conf_high"], "share")
        if at["after_days"] > self.watched:
            return (
                f"No subscription was followed for longer than {words.number(self.watched)} days. "
                f"{as_if(self.watched)}{share} of new ones would still run after {after} ({ends}): "
                "that is of no real group of subscriptions, and no forecast."
            )
        said = f"{share} of subscriptions still run after {after} ({ends})"
        medians = self._rows("churn.median_days")
        median = (medians[medians[self.by].isna()] if self.by else medians).iloc[0]
        if median["suppressed"] or pd.isna(median["estimate"]):
            return f"{said}; when half have ended cannot be told yet."
        return f"{said}; half have ended after {words.plural(median['estimate'], 'day')}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def retention(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike | None = None,
    complete_from: date | None = None,
) -> Retention:
    """Estimate how long subscriptions last, from those that ended and those that still run.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`.
    cycle : Cycle
        All subscriptions that had begun by its end, as known then.
    by : str or table, optional
        A column of `subscriptions`, or a table of `customer_id` and one more column. It must
        be known when a subscription begins: a group that only those reach who stay long looks
        better than it is.
    complete_from : datetime.date, optional
        First day of the records. What ended before is not in them, so whoever began before
        is counted from the length that they had reached by then on. Default: records reach
        back to the first subscription.

    Returns
    -------
    Retention
        `churn.retained_share` by `after_days`, and `churn.median_days` (missing where less
        than half have ended), in all and by group.

    Raises
    ------
    Withheld
        If fewer than ten subscriptions have ended.

    Notes
    -----
    Survival retention: who has left stays so, and the share never rises; a customer who comes
    back begins another subscription. The product limit over whole weeks with a log-log band.
    Those still running count as long as they have run, never as ended; those who come under
    observation late count from then on. Where customers have several subscriptions, the
    variance carries the design effect of the share that ended.

    References
    ----------
    Kaplan & Meier (1958), Journal of the American Statistical Association 53, 457-481.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(40), "customer_id": [f"c{i}" for i in range(40)],
    ...     "started_at": pd.Timestamp("2017-01-01"),
    ...     "ended_at": [pd.Timestamp("2017-07-01")] * 10 + [pd.NaT] * 30})
    >>> retention(held, cycle=parse_cycle("2018Q1")).sentence()[:52]
    '75.0% of subscriptions still run after 196 days (58.'
    """
    held = lengths(subscriptions, cycle, complete_from)
    counts, people = counted(cells_of(held, "'all'"))
    ended = float(counts["ended"].sum())
    if ended < FEWEST:
        raise Withheld(
            f"A curve needs at least {FEWEST} subscriptions that ended, but {words.number(ended)} "
            f"had by the end of {cycle.name}."
        )
    name: str | None = None
    rows = _rows(counts, people.iloc[0])
    if by is not None:
        held, name = grouped(held, by)
        rows = [{**row, name: None} for row in rows] + _by_group(held, name)
    late, watched = float(people["late"].iloc[0]), watched_days(cycle, complete_from)
    return Retention(
        estimates=pd.DataFrame(rows),
        subtitle="Share of subscriptions that still run, %, by days since their beginning; "
        "95% band",
        note=f"Base: {words.number(people['n'].iloc[0])} subscriptions of "
        f"{words.number(people['people'].iloc[0])} customers, of which {words.number(ended)} have "
        "ended. Those that still run count as long as they have run."
        + (
            f" {words.number(late)} began before records do, and count from then on only."
            if late
            else ""
        )
        + (
            f" From day {words.number(watched)} on the curve is that of a period: it joins what "
            "was seen of subscriptions of each age, which began at different times."
            if max(row["after_days"] or 0.0 for row in rows) > watched
            else ""
        ),
        cycle=cycle.name,
        by=name,
        watched=watched,
    )


def _by_group(held: Table, name: str) -> list[dict[str, Any]]:
    """Rows of the largest groups, and of all others together."""
    cells, names = gathered_cells(held, name)
    counts, people = counted(cells)
    rows = []
    for group in names:
        mine = counts[counts["grp"] == group]
        if mine["ended"].sum() < FEWEST:
            continue
        found = _rows(mine, people[people["grp"] == group].iloc[0])
        rows += [{**row, name: group} for row in found]
    return rows


def _rows(counts: pd.DataFrame, people: Any) -> list[dict[str, Any]]:
    """Rows of one curve and of its median."""
    curve = curve_of(counts, people)
    per_end = float(people["leavers"]) / float(people["total"])
    ended = np.cumsum(curve.events)
    rows = []
    for at, had in _shown(curve.time, ended):
        point = curve.at([at]).iloc[0]
        share = Interval(
            estimate=point["estimate"], low=point["conf_low"], high=point["conf_high"],
            n=float(people["n"]), method=curve.method, level=curve.level,
        )  # fmt: skip
        days, left = WEEK * at, float(point["at_risk"])
        rows += [
            interval_row("churn.retained_share", share, unit="share",
                         count=np.floor(had * per_end), after_days=days),
            estimate_row("churn.at_risk", left, left, left, n=share.n, unit="count",
                         count=np.floor(left * float(people["people"]) / share.n),
                         method="count of those under observation", after_days=days),
        ]  # fmt: skip
    median = curve.quantile()
    ends = [WEEK * x if np.isfinite(x) else np.nan for x in
            (median.estimate, median.low, median.high)]  # fmt: skip
    row = interval_row(
        "churn.median_days",
        replace(median, estimate=ends[0], low=ends[1], high=ends[2], n=float(people["n"])),
        unit="days", count=float(people["leavers"]), after_days=None,
    )  # fmt: skip
    # An end that no data reach is no interval, and a number without one does not travel.
    known = np.isfinite(ends).all()
    hidden = {"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "suppressed": True}
    return [*rows, row if known else row | hidden]


def _shown(times: Any, ended: Any) -> list[tuple[float, float]]:
    """Choose the weeks to show: every fourth of a year, then every quarter, each after ten ends."""
    last = float(times[-1])
    weeks = np.r_[np.arange(4, 53, 4), np.arange(65, max(last, 65) + 13, 13)]
    by_then = np.r_[0.0, ended][np.searchsorted(times, weeks, side="right")]
    near = running(by_then, FEWEST)
    pairs = zip(weeks[weeks <= last], by_then, near, strict=False)
    return [(float(week), float(had)) for week, had, is_near in pairs if not is_near]
