"""A share of promises kept: counted by cycle or group, and put into words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cxlab.columns import ALL_OTHERS
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query, view
from cxlab.errors import Withheld
from cxlab.operations.deliveries import AS_INDEPENDENT, FEWEST
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval, wilson
from cxlab.stats.power import detectable_change

__all__ = ["ALL_OTHERS", "KeptPromises", "by_group", "said_change", "series"]

_SHOWN = 8  # cycles in a chart
_NAMES = {"sla": "service level"}  # groups whose own name says little on a page


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptPromises(Result):
    """Share of promises kept: over the last cycles, or by group in this one.

    Attributes
    ----------
    cycle : str
        Name of the cycle; rows without a `cycle` of their own are about it.
    before : str
        Name of the cycle before it.
    by : str
        What the rows are compared by: `cycle` for a series.
    noun, done : str
        What was promised, in the plural, and what a kept one did.
    """

    cycle: str
    before: str
    by: str
    noun: str
    done: str

    def table(self) -> pd.DataFrame:
        """Shares, and the change where there is one; every row names its cycle."""
        frame = super().table()
        if self.by == "cycle":
            frame["cycle"] = frame["cycle"].fillna(self.cycle)
        elif self.by == "kind":  # codes of ours; other groups are the customer's own words
            frame["kind"] = frame["kind"].map(_name)
        return frame

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the shares with their intervals, one dot per cycle or group."""
        rows = self._shares()
        if self.by == "cycle":
            rows = rows.assign(cycle=rows["cycle"].fillna(self.cycle)).sort_values("cycle")
        rows = rows.assign(**{self.by: rows[self.by].map(_name)})
        return charts.dots(
            rows, label=self.by, unit="share", axis=f"Share that {self.done}, %", ax=ax
        )

    def sentence(self) -> str:
        """The share kept and whether it changed, or the best and the worst group."""
        rows = self._shares()
        if self.by == "cycle":
            return f"{self._kept(rows.iloc[0])} {self._changed()}"
        known = rows[~rows["suppressed"]].sort_values("estimate", kind="stable")
        if known.empty:
            return f"No group has enough {self.noun} to be shown."
        if len(known) == 1:
            return self._kept(known.iloc[0], f" ({_name(known[self.by].iloc[0])})")
        ends = [
            f"{_percent(row)} of {self.noun} ({_name(row[self.by])})"
            for _, row in known.iloc[[0, -1]].iterrows()
        ]
        return f"Between {ends[0]} and {ends[1]} {self.done} in {self.cycle}."

    def _shares(self) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"].str.endswith("_share")]

    def _kept(self, row: Any, which: str = "") -> str:
        if row["suppressed"]:
            return (
                f"Too few {self.noun}{which} due in {self.cycle} {self.done} to show their share."
            )
        return (
            f"{_percent(row)} of the {words.number(row['n'])} {self.noun}{which} due in "
            f"{self.cycle} {self.done}."
        )

    def _changed(self) -> str:
        rows = self.estimates[self.estimates["metric"].str.endswith("_change")]
        if rows.empty:
            return f"There are too few from {self.before} to compare with."
        row = rows.iloc[0]
        if row["suppressed"]:
            return f"The change from {self.before} is withheld."
        return said_change(row, self.before)


def series(
    promises: Table,
    *,
    on: Literal["due_at", "due_on"],
    cycle: Cycle,
    metric: str,
    noun: str,
    done: str,
    dims: Mapping[str, str],
) -> KeptPromises:
    """Count a table of (due_at or due_on, kept) over the last cycles, and the change."""
    cycles = [cycle]
    while len(cycles) < _SHOWN:
        cycles.append(cycles[-1].previous)
    counts = _counts(promises, "'all'", cycles, on).set_index("cycle")
    now = _enough(counts, cycle, noun)
    if now["customers"] < 2:
        raise Withheld(f"All {noun} due in {cycle.name} were made to one customer.")
    rows = [_share(f"{metric}_share", now, **dims, cycle=None)]
    if cycle.previous.name in counts.index:
        before = counts.loc[cycle.previous.name]
        if before["n"] >= FEWEST and before["customers"] >= 2:
            rows.append(_change(f"{metric}_change", now, before, **dims, cycle=None))
    earlier = counts[(counts["n"] > 0) & (counts.index != cycle.name)].sort_index(ascending=False)
    rows += [_share(f"{metric}_share", row, **dims, cycle=name) for name, row in earlier.iterrows()]
    return _result(rows, cycle, promises, by="cycle", noun=noun, done=done, total=now)


def by_group(
    promises: Table,
    group: str,
    *,
    on: Literal["due_at", "due_on"],
    cycle: Cycle,
    metric: str,
    noun: str,
    done: str,
    dims: Mapping[str, str],
    most: int,
) -> KeptPromises:
    """Count the promises of one cycle by a column; small groups share a row."""
    counts = _counts(promises, f'p."{group}"', [cycle], on)
    total = counts[["n", "unknown"]].sum()
    _enough(pd.DataFrame([total], index=[cycle.name]), cycle, noun)
    counts = counts[counts["n"] > 0].sort_values(["n", "group"], ascending=[False, True])
    # A row for a group that is too small to be shown would only say "withheld".
    own = (counts["n"] >= FEWEST) & (counts["n"].rank(ascending=False, method="first") <= most)
    rest = counts[~own]
    if len(rest) > 1:  # one alone may as well keep its name
        # Counted anew: a customer of two small groups is one customer of both together.
        small = view(
            f'select * from p where "{group}" in (select name from r)',
            p=promises,
            r=pd.DataFrame({"name": rest["group"].astype("string")}),
        )
        counts = pd.concat([counts[own], _counts(small, f"'{ALL_OTHERS}'", [cycle], on)])
    rows = [
        _share(f"{metric}_share", row, **dims, **{group: row["group"]})
        for row in counts.to_dict("records")
    ]
    if all(row["suppressed"] for row in rows):
        raise Withheld(f"The {noun} due in {cycle.name} were made to one customer in each group.")
    return _result(rows, cycle, promises, by=group, noun=noun, done=done, total=total)


def said_change(row: Any, before: str, *, since: str = "in") -> str:
    """Put the change of a share into words, and what could have been seen if none was."""
    estimate, low, high = (float(row[c]) for c in ("estimate", "conf_low", "conf_high"))
    if low <= 0 <= high:
        seen = words.number(100 * detectable_change(low, high), 1)
        return f"No detectable difference from {before} (we could have seen one of {seen} points)."
    way = "Higher" if low > 0 else "Lower"
    return f"{way} than {since} {before}: {words.change(estimate, low, high, 'share')}."


def _counts(
    promises: Table, group: str, cycles: list[Cycle], on: Literal["due_at", "due_on"]
) -> pd.DataFrame:
    day = on == "due_on"
    windows = pd.DataFrame(
        {
            "cycle": [c.name for c in cycles],
            "since": [c.first_day if day else c.start for c in cycles],
            "until": [c.next.first_day if day else c.cutoff for c in cycles],
        }
    )
    # Promises to one customer may be kept or broken together, so they are summed first.
    person = "p.customer_id" if _tells_customers(promises) else "0"
    counts = query(
        f"""
        with each as (
            select w.cycle, {group} as "group", {person} as customer_id, count(p.kept) as n,
                count(*) filter (where p.kept) as kept,
                count(*) filter (where p.kept is null) as unknown
            from p join w on p.{on} >= w.since and p.{on} < w.until group by 1, 2, 3
        )
        select cycle, "group", sum(n) as n, sum(kept) as kept, sum(unknown) as unknown,
            count(*) filter (where n > 0) as customers,
            count(*) filter (where kept > 0) as customers_kept, sum(n * n) as n_n,
            sum(n * kept) as n_total, sum(kept * kept) as total_total
        from each group by 1, 2 order by 1, 2
        """,
        p=promises,
        w=windows,
    )
    if _tells_customers(promises):
        return counts
    n, kept = counts["n"], counts["kept"]  # each as if of a customer of its own
    each = {"n_n": n, "n_total": kept, "total_total": kept}
    return counts.assign(customers=n, customers_kept=kept, **each)


def _tells_customers(promises: Table) -> bool:
    return "customer_id" in promises.columns


def _enough(counts: pd.DataFrame, cycle: Cycle, noun: str) -> Any:
    found = int(counts["n"].get(cycle.name, 0))
    if found < FEWEST:
        raise Withheld(
            f"A share needs at least {FEWEST} {noun} with a known outcome, but "
            f"{words.number(found)} fell due in {cycle.name}."
        )
    return counts.loc[cycle.name]


def _wilson(row: Any) -> Interval:
    """Wilson's interval, on the effective n where customers were promised several things."""
    n, kept = float(row["n"]), float(row["kept"])
    names = ("n_n", "n_total", "total_total", "customers")
    sums = ClusterSums(n=n, total=kept, **{name: float(row[name]) for name in names})
    if not sums.repeated:
        return wilson(kept, n)
    return wilson(kept, n, n_eff=effective_n(sums, kept / n * (1 - kept / n)))


def _share(metric: str, row: Any, **dims: object) -> dict[str, Any]:
    # People are counted, not promises: thirty kept ones of one customer are about one.
    people = float(row["customers_kept"])
    if row["customers"] < 2:
        withheld = estimate_row(
            metric, np.nan, np.nan, np.nan, n=np.nan, count=people, unit="share",
            method="withheld: of one customer only", **dims,
        )  # fmt: skip
        return {**withheld, "suppressed": True}
    return interval_row(metric, _wilson(row), unit="share", count=people, **dims)


def _change(metric: str, now: Any, before: Any, **dims: object) -> dict[str, Any]:
    intervals = _wilson(now), _wilson(before)
    fewer = any("effective n" in each.method for each in intervals)
    method = "Newcombe hybrid score interval" + (", effective n" if fewer else "")
    found = mover_difference(*intervals, method=method)
    # With either share withheld, the difference would give it away.
    least = min(now["customers_kept"], before["customers_kept"])
    return interval_row(metric, found, unit="share", count=least, **dims)


def _result(
    rows: list[dict[str, Any]],
    cycle: Cycle,
    promises: Table,
    *,
    by: str,
    noun: str,
    done: str,
    total: Any,
) -> KeptPromises:
    unknown = words.number(total["unknown"])
    open_ = f" The outcome of {unknown} more is not known." if total["unknown"] else ""
    alone = "" if _tells_customers(promises) else f" {AS_INDEPENDENT}"
    return KeptPromises(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of {noun} that {done}, %, due {cycle.first_day} to {cycle.last_day}, "
        "measured against the first promise; 95% interval",
        note=f"Base: {words.number(total['n'])} {noun} due in {cycle.name}, unweighted.{open_} "
        f"As known at the end of {cycle.last_day}.{alone}",
        cycle=cycle.name,
        before=cycle.previous.name,
        by=by,
        noun=noun,
        done=done,
    )


def _name(group: str) -> str:
    return _NAMES.get(group, group.replace("_", " "))


def _percent(row: Any) -> str:
    return (
        f"{words.value(row['estimate'], 'share')} "
        f"({words.interval(row['conf_low'], row['conf_high'], 'share')})"
    )
