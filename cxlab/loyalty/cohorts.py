"""Who comes back: of those who first bought together, how many buy again, period after period?

A cell of the triangle is finished once everybody of its cohort had all of its time. Only
finished cells are counted, shown and averaged; a newer cohort simply has fewer of them.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.loyalty.cohort_counts import SHOWN, Mode, Periods, finished_cells
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy
from cxlab.report.disclosure.suppression import blank, running
from cxlab.report.finding import Result, interval_row

__all__ = ["Cohorts", "cohorts"]

FEWEST = 10
_SUM = "_all"  # stands for all cohorts in the picture


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohorts(Result):
    """Share of each cohort that bought again, by period since the first order.

    Attributes
    ----------
    mode : str
        Whether a cell counts orders of its period alone, or of any later one as well.
    period : str
        What a period is, in words.
    """

    mode: Mode
    period: str

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and steps between which too few stopped."""
        safe = super().protect(rules)
        if self.mode != "on_or_after":
            return safe
        # Two neighbours of a falling row tell how many bought last between them.
        least, close = Policy.of(rules).min_cell, pd.Series(False, index=self.estimates.index)
        shares = self._rows("cohorts.returned_share")
        for _, rows in shares.groupby(shares["cohort"].fillna(_SUM), sort=False):
            close[rows.index] = running(rows["n"] - rows["count"], least)
        hidden = safe.estimates["suppressed"].to_numpy(dtype=bool) | close.to_numpy()
        return replace(safe, estimates=blank(safe.estimates, hidden))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the triangle, its mean in the last row."""
        rows = self._rows("cohorts.returned_share")
        mean = "All, finished" if rows["cohort"].notna().any() else "All"
        cells = pd.concat([rows[rows["cohort"].notna()], rows[rows["cohort"].isna()]])
        cells = cells.assign(cohort=cells["cohort"].fillna(mean))
        # Columns stand in the order of the periods, whichever cohort comes first.
        order = [p for p in self._order() if p in set(cells["period"])]
        cells["period"] = pd.Categorical(cells["period"], order, ordered=True)
        return charts.heatmap(cells, row="cohort", column="period", unit="share", ax=ax)

    def sentence(self) -> str:
        """How many come back soon and late, and whether the newest do more than those before."""
        rows = self._rows("cohorts.returned_share")
        known = rows[rows["cohort"].isna() & ~rows["suppressed"].astype(bool)]
        if known.empty:
            return "Too few customers came back to show how many do."
        first = known.iloc[0]
        said = (
            f"{words.value(first['estimate'], 'share')} of new customers bought again "
            f"{self._when(first['period'])} "
            f"({words.interval(first['conf_low'], first['conf_high'], 'share')})"
        )
        if len(known) > 1:
            last = known.iloc[-1]
            said += (
                f", {words.value(last['estimate'], 'share')} {self._when(last['period'])} "
                f"({words.interval(last['conf_low'], last['conf_high'], 'share')})"
            )
        return f"{said}. {self._newest()}".strip()

    def _newest(self) -> str:
        rows = self._rows("cohorts.newest_change")
        rows = rows[~rows["suppressed"].astype(bool)]
        if rows.empty:
            return ""
        row = rows.iloc[0]
        moved = words.change(row["estimate"], row["conf_low"], row["conf_high"], "share")
        if row["conf_low"] <= 0 <= row["conf_high"]:
            return f"The newest cohort shows no clear change from those before: {moved}."
        way = "more" if row["estimate"] > 0 else "less"
        return f"The newest cohort came back {way} often than those before: {moved}."

    def _when(self, period: object) -> str:
        if self.mode == "bracket":
            return f"on {period} after their first order"
        name = f"{self.period} {period} after their first order"
        return f"in {name}" if self.mode == "on" else f"in {name} or later"

    def _order(self) -> list[object]:
        shares = self._rows("cohorts.returned_share")
        return list(shares[shares["cohort"].isna()]["period"])

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def cohorts(
    orders: TableLike,
    *,
    cycle: Cycle,
    mode: Mode = "on",
    every_days: int = 0,
    brackets: tuple[int, ...] = (1, 30, 90, 180, 365),
    complete_from: date | None = None,
) -> Cohorts:
    """Count who bought again of those who first bought in the same cycle.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, and `status` where known: cancelled orders are none.
    cycle : Cycle
        Orders of its cutoff or later are not looked at.
    mode : {"on", "on_or_after", "bracket"}
        Whether a customer counts who ordered in the period itself (retention as active in
        period), in it or in any later one (survival retention), or within a bracket of days
        since the first order (active in period).
    every_days : int
        Length of a period that begins with each customer's own first order. Default: the
        cycles of the calendar, of which period 1 is the one after the first order.
    brackets : tuple of int
        Days since the first order at which brackets begin and end, for that mode only.
    complete_from : datetime.date, optional
        First day for which the data are complete; there is no cohort of an earlier cycle.

    Returns
    -------
    Cohorts
        `cohorts.returned_share` by `cohort` and `period` and, over all cohorts that have
        finished the period, by `period` alone, so that each weighs as many as it has; and
        but for `on_or_after` `cohorts.newest_change`: the newest cohort in the first period
        minus those before it.

    Raises
    ------
    Withheld
        If fewer than ten customers belong to a cohort that has finished a period.
    ParameterError
        If an option has no meaning.

    Notes
    -----
    Wilson's interval; the change by Newcombe's. Each share is of all who first bought in the
    cohort's cycle, in every period. A cohort without customers has no row. Counts of
    `on_or_after` may still rise, and early periods have had more time to: only in that mode
    a row never rises from left to right, for only survival retention cannot.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> first = pd.DataFrame({
    ...     "customer_id": [f"c{i}" for i in range(40)], "placed_at": pd.Timestamp("2017-10-05")})
    >>> again = first.head(10).assign(placed_at=pd.Timestamp("2018-02-01"))
    >>> found = cohorts(pd.concat([first, again]), cycle=parse_cycle("2018Q1"))
    >>> found.sentence()[:62]
    '25.0% of new customers bought again in quarter 1 after their f'
    """
    periods = Periods.of(mode, every_days, brackets)
    windows = [cycle]
    while len(windows) <= SHOWN and windows[0].previous.first_day >= (complete_from or date.min):
        windows.insert(0, windows[0].previous)
    cells = finished_cells(orders, windows, periods, mode)
    if cells.empty or cells.groupby("cohort")["n"].first().sum() < FEWEST:
        raise Withheld(
            f"A cohort needs at least {FEWEST} customers who have had a whole period since "
            f"their first order, but fewer have by the end of {cycle.name}."
        )
    name = f"{every_days}-day period" if every_days else cycle.length
    first, last = cells["cohort"].iloc[[0, -1]]
    named = f"cohort of {first}" if first == last else f"cohorts of {first} to {last}"
    later = " or later" if mode == "on_or_after" else ""
    since = "days since" if mode == "bracket" else f"{name} after"
    return Cohorts(
        estimates=pd.DataFrame(_rows(cells, later=mode == "on_or_after")),
        subtitle=f"Share of customers who bought again, by cycle of their first order and {since} "
        f"it{later}, %; finished periods only",
        note=f"Base: {words.number(cells.groupby('cohort')['n'].first().sum())} customers with "
        f"a first order on record; {named}. Who bought before the records begin counts as new "
        "with the first order that is in them. The mean weighs each cohort by its customers.",
        mode=mode,
        period=name,
    )


def _rows(cells: pd.DataFrame, *, later: bool) -> list[dict[str, Any]]:
    from cxlab.stats.differences import newcombe
    from cxlab.stats.intervals import wilson

    def share(back: float, n: float, **dims: object) -> dict[str, Any]:
        found = wilson(back, n)
        return interval_row("cohorts.returned_share", found, unit="share", count=back, **dims)

    rows = [
        share(c["back"], c["n"], cohort=c["cohort"], period=c["period"])
        for c in cells.to_dict("records")
    ]
    sums = cells.groupby(["k", "period"], sort=True)[["back", "n"]].sum().reset_index()
    rows += [
        share(c["back"], c["n"], cohort=None, period=c["period"]) for c in sums.to_dict("records")
    ]
    first = cells[cells["k"] == 1]
    if len(first) > 1 and not later:
        new, old = first.iloc[-1], first.iloc[:-1][["back", "n"]].sum()
        gap = newcombe(new["back"], new["n"], old["back"], old["n"])
        rows.append(
            interval_row("cohorts.newest_change", gap, unit="share",
                         count=min(new["back"], old["back"]), cohort=None, period=None)
        )  # fmt: skip
    return rows
