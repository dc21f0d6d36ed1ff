"""How many of those under contract at the beginning of a cycle left in it, and of whose will?"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from cxlab.churn.group_test import group_test
from cxlab.churn.leavers import CHANGE_DAYS, changers
from cxlab.churn.spells import CAUSES, spells
from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, query, view
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.clusters import clustered_share
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval
from cxlab.stats.power import detectable_change

__all__ = ["ChurnRate", "churn_rate"]

SHOWN = 8  # cycles in the chart
FEWEST = 10
_TINY = 0.0005  # written as a bound
_SAID = {
    "voluntary": "by the customer",
    "involuntary": "without their will",
    NOT_KNOWN: "for a reason not recorded",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ChurnRate(Result):
    """Share of subscriptions that ended in the cycle, of those running when it began.

    Attributes
    ----------
    cycle, before : str
        The cycle, which rows without a `cycle` of their own are about, and the one before.
    by : str or None
        What the groups are; None for a series of cycles.
    """

    cycle: str
    before: str
    by: str | None

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each cycle, or of each group in this one."""
        rows = self._rows("churn.rate")
        label = self.by or "cycle"
        if self.by is None:
            rows = rows.assign(cycle=rows["cycle"].fillna(self.cycle)).sort_values("cycle")
        else:
            rows = rows[rows[label].notna()]
        return charts.dots(
            rows, label=label, unit="share", axis="Share of subscriptions that ended, %", ax=ax
        )

    def sentence(self) -> str:
        """The share that left, of whose will, and whether it changed; or the groups' extremes."""
        if self.by:
            return self._groups()
        whole = self._whole("churn.rate")
        if whole["suppressed"]:
            return f"Too few subscriptions ended in {self.cycle} to show their share."
        said = (
            f"{words.value(whole['estimate'], 'share')} of the {words.number(whole['n'])} "
            f"subscriptions that ran when {self.cycle} began ended in it "
            f"({words.interval(whole['conf_low'], whole['conf_high'], 'share')})"
        )
        causes = self._rows("churn.rate_by_cause")
        parts = [
            f"{words.value(row['estimate'], 'share')} {_SAID[row['cause']]}"
            for row in causes[~causes["suppressed"].astype(bool)].to_dict("records")
        ]
        return f"{said}{': ' if parts else ''}{words.listing(parts)}. {self._changed()}"

    def _changed(self) -> str:
        rows = self._rows("churn.change")
        if rows.empty:
            return f"There is too little of {self.before} to compare with."
        row = rows.iloc[0]
        if row["suppressed"]:
            return f"The change from {self.before} is withheld."
        low, high = float(row["conf_low"]), float(row["conf_high"])
        if low <= 0 <= high:
            seen = words.number(100 * detectable_change(low, high), 1)
            return f"No clear change from {self.before} (we could have seen one of {seen} points)."
        way = "More" if low > 0 else "Fewer"
        return f"{way} than in {self.before}: {words.change(row['estimate'], low, high, 'share')}."

    def _groups(self) -> str:
        by, rows = str(self.by), self._rows("churn.rate")
        known = rows[rows[by].notna() & ~rows["suppressed"].astype(bool)]
        known = known.sort_values("estimate", kind="stable")
        if len(known) < 2:
            return f"Too few subscriptions ended in {self.cycle} to compare them by {by}."
        least, most = (
            f"{words.value(row['estimate'], 'share')} ({row[by]}; "
            f"{words.interval(row['conf_low'], row['conf_high'], 'share')})"
            for _, row in known.iloc[[0, -1]].iterrows()
        )
        said = f"Between {least} and {most} of subscriptions ended in {self.cycle}, by {by}"
        tests = self._rows("churn.p_groups")
        if tests.empty or tests["suppressed"].iloc[0]:
            return f"{said}; whether that is more than chance cannot be told."
        p = float(tests["estimate"].iloc[0])
        told = f"p {words.value(p, 'p')}" if p < _TINY else f"p = {words.value(p, 'p')}"
        if p <= 1 - self.level:
            return f"{said}: more than chance alone would make groups differ ({told})."
        return f"{said}; chance alone could make groups differ so ({told})."

    def _whole(self, metric: str) -> Any:
        rows = self._rows(metric)
        own = [c for c in (self.by, "cycle") if c in rows.columns]
        return rows[rows[own].isna().all(axis=1)].iloc[0]

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


_EXPECTED = 5  # endings of each group, from which a test of groups holds


def churn_rate(
    subscriptions: TableLike,
    *,
    cycle: Cycle,
    by: str | TableLike | None = None,
    complete_from: date | None = None,
) -> ChurnRate:
    """Share of subscriptions that ended in a cycle, of those running at its beginning.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at` and, where known,
        `end_kind`.
    cycle : Cycle
        Endings in its window. What began within the cycle is not at risk of the whole of it,
        and belongs to the next.
    by : str or table, optional
        A column of `subscriptions`, or a table of `customer_id` and one more column. Default:
        the last eight cycles beside each other.
    complete_from : datetime.date, optional
        First day for which the data are complete; no earlier cycle is counted.

    Returns
    -------
    ChurnRate
        `churn.rate` (in all, and by cycle or group), `churn.rate_by_cause` of this cycle;
        without groups `churn.change` since the cycle before, with groups `churn.p_groups`:
        whether those of which ten subscriptions or more ended differ by more than chance.

    Raises
    ------
    Withheld
        If fewer than ten subscriptions ran when the cycle began.

    Notes
    -----
    Wilson's interval, on the effective number where customers have several subscriptions;
    the change by Newcombe's. The two shares are taken as independent: who left in the cycle
    before is not at risk in this one, and of those at risk in both nobody left before, so
    that over the people of both the two vary together by chance alone. Groups are tested by
    Mantel and Haenszel's chi-squared, divided by the largest design effect among them.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; Rao & Scott (1981), Journal
    of the American Statistical Association 76, 221-230, on dividing by a design effect.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(40), "customer_id": [f"c{i}" for i in range(40)],
    ...     "started_at": pd.Timestamp("2017-05-01"), "end_kind": "voluntary",
    ...     "ended_at": [pd.Timestamp("2018-02-01")] * 10 + [pd.NaT] * 30})
    >>> churn_rate(held, cycle=parse_cycle("2018Q1")).sentence()[:69]
    '25.0% of the 40 subscriptions that ran when 2018Q1 began ended in it '
    """
    cycles = _cycles(cycle, complete_from) if by is None else [cycle]
    held = spells(subscriptions, cutoff=cycle.cutoff)
    counts = _counts(held, cycles)
    now = counts[counts["cycle"] == cycle.name]
    if now.empty or float(now["n"].iloc[0]) < FEWEST:
        found = words.number(now["n"].iloc[0] if len(now) else 0)
        raise Withheld(
            f"A churn rate needs at least {FEWEST} subscriptions that ran when the cycle began, "
            f"but {found} did when {cycle.name} began."
        )
    row = now.iloc[0]
    stay = changers(held, cycle)
    name: str | None = None
    rows = [_rate("churn.rate", row, "lost"), *_by_cause(row)]
    if by is None:
        earlier = counts[(counts["cycle"] != cycle.name) & (counts["n"] >= FEWEST)]
        before = earlier[earlier["cycle"] == cycle.previous.name]
        if len(before):
            rows.append(_change(row, before.iloc[0]))
        rows += [
            _rate("churn.rate", r, "lost", cycle=r["cycle"]) for r in earlier.to_dict("records")
        ]
    else:
        split, name = grouped(held, by)
        groups = _counts(split, [cycle], by=name).sort_values(["n", "grp"], ascending=[False, True])
        rows += [
            _rate("churn.rate", r, "lost", **{name: r["grp"]}) for r in groups.to_dict("records")
        ]
        # By what is to be expected of them: a group that hardly anybody left is one to be told of.
        share = groups["lost"].sum() / max(1.0, groups["n"].sum())
        rows += group_test(groups[groups["n"] * share >= _EXPECTED])
    return ChurnRate(
        estimates=_with_dims(rows, name),
        subtitle=f"Share of subscriptions running when {'the' if by is None else 'a'} cycle began "
        "that ended in it, %; 95% interval",
        noted=lambda least: (
            f"Base: {words.number(row['n'])} subscriptions of "
            f"{words.number(row['persons'])} customers that ran at the beginning of "
            f"{cycle.first_day}, unweighted. Subscriptions that began in {cycle.name} are not "
            f"counted. As known at the end of {cycle.last_day}.{_stayed(stay, least)}"
        ),
        cycle=cycle.name,
        before=cycle.previous.name,
        by=name,
    )


def _stayed(stay: float, least: int) -> str:
    """Say how many of those of whom a subscription ended are still customers of another."""
    if not stay:
        return ""
    return (
        f" {words.plural_from(least, stay, 'customer').capitalize()} of those of whom a "
        f"subscription ended kept another one, or began one within {CHANGE_DAYS} days: what is "
        "counted is subscriptions, not people who left."
    )


def _cycles(cycle: Cycle, complete_from: date | None) -> list[Cycle]:
    cycles = [cycle]
    while len(cycles) < SHOWN:
        before = cycles[-1].previous
        if before.first_day < (complete_from or date.min):
            break
        cycles.append(before)
    return cycles


def _counts(held: Table, cycles: list[Cycle], *, by: str | None = None) -> pd.DataFrame:
    """Sum over customers what ran when each cycle began, and what ended in it, by cause."""
    windows = pd.DataFrame(
        {
            "cycle": [c.name for c in cycles],
            "since": [c.start for c in cycles],
            "until": [c.cutoff for c in cycles],
        }
    )
    kinds = {"lost": "cause is not null"} | {c: f"cause = '{c}'" for c in (*CAUSES, NOT_KNOWN)}
    each = ", ".join(
        f"sum(case when {is_kind} then 1 else 0 end) as {_column(kind)}"
        for kind, is_kind in kinds.items()
    )
    sums = "".join(
        f", sum({y}) as {y}, sum(case when {y} > 0 then 1 else 0 end) as {y}_persons, "
        f"sum(n * {y}) as {y}_n, sum({y} * {y}) as {y}_2"
        for y in map(_column, kinds)
    )
    group = "'all'" if by is None else f'h."{by}"'
    at_risk = view(
        f"""
        select w.cycle, {group} as grp, h.customer_id,
            case when h.ended_at < w.until then h.cause end as cause
        from h join w on h.started_at < w.since and (h.ended_at is null or h.ended_at >= w.since)
        """,
        h=held,
        w=windows,
    )
    return query(
        f"""
        select cycle, grp, count(*) as persons, sum(n) as n, sum(n * n) as n_n{sums}
        from (
            select cycle, grp, customer_id, count(*) as n, {each} from r
            group by cycle, grp, customer_id
        ) as p group by cycle, grp order by cycle desc, grp
        """,
        r=at_risk,
    )


def _column(kind: str) -> str:
    return kind.replace(" ", "_")


def _share(row: Any, kind: str) -> Interval:
    y = _column(kind)
    return clustered_share(
        {
            "persons": row["persons"], "n": row["n"], "n_n": row["n_n"], "total": row[y],
            "n_total": row[f"{y}_n"], "total_total": row[f"{y}_2"],
        }
    )  # fmt: skip


def _rate(metric: str, row: Any, kind: str, **dims: object) -> dict[str, Any]:
    people = float(row[f"{_column(kind)}_persons"])
    return interval_row(metric, _share(row, kind), unit="share", count=people, **dims)


def _by_cause(row: Any) -> list[dict[str, Any]]:
    kinds = [*CAUSES, *([NOT_KNOWN] if row[_column(NOT_KNOWN)] else [])]
    if row[_column(NOT_KNOWN)] == row["lost"]:  # nobody records why
        return []
    return [_rate("churn.rate_by_cause", row, kind, cause=kind) for kind in kinds]


def _change(now: Any, before: Any) -> dict[str, Any]:
    found = mover_difference(
        _share(now, "lost"), _share(before, "lost"), method="Newcombe hybrid score interval"
    )
    people = min(float(now["lost_persons"]), float(before["lost_persons"]))
    return interval_row("churn.change", found, unit="share", count=people)


def _with_dims(rows: list[dict[str, Any]], by: str | None) -> pd.DataFrame:
    """Give all rows the same groups: cause, and the cycle or what they are split by."""
    frame = pd.DataFrame(rows)
    for name in ("cause", by or "cycle"):
        if name not in frame:
            frame[name] = None
    return frame
