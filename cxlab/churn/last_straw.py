"""What happened to those who left shortly before, and to others of the same age meanwhile?"""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from cxlab.churn.drivers import ChurnDrivers
from cxlab.churn.spells import spells
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.data.span import moment_us
from cxlab.errors import ConvergenceError, ParameterError, Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.cox import cox
from cxlab.stats.intervals import wilson
from cxlab.stats.multiplicity import benjamini_hochberg

__all__ = ["LastStraw", "last_straw"]

_LEAST, _FEW = 10, 5
_DAY_US = 86_400_000_000
_DAYS = 100_000  # most rows of counts by day of life
_SHARE, _RATIO, _TEST = "churn.straw_share", "churn.straw_ratio", "churn.p_straw"


@dataclass(frozen=True, kw_only=True, eq=False)
class LastStraw(Result):
    """How often each sign came shortly before leaving, against stayers of the same age.

    Attributes
    ----------
    within_days : int
        How shortly.
    beside : ChurnDrivers, optional
        What goes with leaving when asked of a longer time before.
    """

    within_days: int
    beside: ChurnDrivers | None = field(default=None, repr=False)

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, also those of what stands beside."""
        beside = None if self.beside is None else self.beside.protect(rules)
        return replace(super().protect(rules), beside=beside)

    def table(self) -> pd.DataFrame:
        """One row per sign: share of leavers who met it, and times the rate of leaving."""
        rows = self._rows(_RATIO)
        met, tests = (self._rows(m).set_index("covariate")["estimate"] for m in (_SHARE, _TEST))
        rows = rows.assign(share=rows["covariate"].map(met), p_bh=rows["covariate"].map(tests))
        return rows.drop(columns=["count", "method", "metric", "unit"]).reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the ratio of each sign with its interval."""
        rows = self._rows(_RATIO).sort_values("estimate", ascending=False, kind="stable")
        return charts.dots(
            rows, label="covariate", unit="mean", reference=1.0, reference_name="no difference",
            axis=f"Times the rate of leaving in the {self.within_days} days after", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Which signs came before leaving more often than chance allows."""
        rows = self.table()
        shown = rows[~rows["suppressed"].astype(bool) & rows["p_bh"].notna()]
        if shown.empty:
            return "Too few left shortly after a sign to tell which of them came before leaving."
        clear = shown[(shown["p_bh"] <= 1 - self.level) & (shown["estimate"] > 1)]
        many = words.plural(len(shown), "sign")
        if clear.empty:
            return (
                f"Of {many}, each looked at by itself, none came clearly more often in the "
                f"{self.within_days} days before leaving than to stayers of the same age."
            )
        row = clear.sort_values("estimate", kind="stable").iloc[-1]
        rest = sorted(set(clear["covariate"]) - {row["covariate"]})
        also = f" Clear as well: {words.listing(rest)}." if rest else ""
        named = str(row["covariate"])
        return (
            f"{named[:1].upper()}{named[1:]}, looked at by itself, is followed within "
            f"{self.within_days} days by "
            f"{words.value(row['estimate'], 'mean')} times the rate of leaving of others of the "
            f"same age ({words.interval(row['conf_low'], row['conf_high'], 'mean')})."
            f"{self._otherwise(row)}{also} Association, not cause."
        )

    def _otherwise(self, row: Any) -> str:
        """What the same sign goes with over a longer time, and whether the two ratios differ."""
        if self.beside is None:
            return ""
        rows = self.beside.table()
        rows = rows[(rows["covariate"] == row["covariate"]) & rows["period"].isna()]
        rows = rows[~rows["suppressed"].astype(bool) & rows["cause"].isin(["voluntary", "any"])]
        if rows.empty:
            return ""
        long = rows.iloc[0]
        ends = [math.log(x[end]) for x in (row, long) for end in ("conf_low", "conf_high")]
        apart = math.log(row["estimate"] / long["estimate"])
        # As if of other people: both are of the same ones, so that this sees less than there is.
        far = math.hypot(ends[1] - ends[0], ends[3] - ends[2]) / 2
        which = "is clearly another" if abs(apart) > far else "does not clearly differ"
        return (
            f" Asked of the {self.beside.window_days} days before a cycle and of the whole cycle "
            f"after, all signs together, the ratio per sign {which}: "
            f"{words.value(long['estimate'], 'mean')} "
            f"({words.interval(long['conf_low'], long['conf_high'], 'mean')})."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def last_straw(
    subscriptions: TableLike,
    signals: TableLike,
    *,
    cycle: Cycle,
    within_days: int = 30,
    cycles: int = 4,
    beside: ChurnDrivers | None = None,
) -> LastStraw:
    """Align signs to the day of leaving, and to the same day of life of those who stayed.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at` and, where known,
        `end_kind`: then only those who left of their own will count as leavers.
    signals : table
        customer_id, signal, occurred_at, as `signals` gathers them.
    cycle : Cycle
        The last one; what happened from its cutoff on is not known.
    within_days : int
        Signs of so many days before the day of leaving count.
    cycles : int
        Leavers of so many cycles.
    beside : ChurnDrivers, optional
        From `churn_drivers`: the sentence then says whether a sign goes with leaving as much
        when it is asked of a longer time before, all signs together.

    Returns
    -------
    LastStraw
        By sign `churn.straw_share` (of leavers who met it), `churn.straw_ratio` and
        `churn.p_straw`, adjusted by Benjamini and Hochberg.

    Raises
    ------
    Withheld
        If fewer than ten left, or no sign came to five leavers.
    ParameterError
        If `within_days` is below 1.

    Notes
    -----
    For each leaver all subscriptions that ran on the same day of their life, within the same
    cycles, are the stayers; signs count up to the beginning of that day, never on it, for both.
    The ratio is that of Cox's partial likelihood with age in days as time, each sign by itself:
    signs that come together share their ratios.

    References
    ----------
    Prentice & Breslow (1978), Biometrika 65, 153-158, on matched risk sets; Benjamini & Hochberg
    (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    if within_days < 1:
        raise ParameterError(f"within_days must be 1 or more, but is {within_days}.")
    first = cycle
    for _ in range(cycles - 1):
        first = first.previous
    known, happened = in_one_engine(spells(subscriptions, cutoff=cycle.cutoff), signals)
    lives = _lives(known, first, cycle)
    days = query(
        "select last_day as day, count(*) as n from l where leaves = 1 and last_day >= first_day "
        "group by last_day order by last_day",
        l=lives, limit=_DAYS,
    )  # fmt: skip
    left = float(days["n"].sum())
    if left < _LEAST:
        raise Withheld(
            f"Last signs need {_LEAST} subscriptions that ended in "
            f"{words.plural(cycles, 'cycle')}, but {words.number(left)} did."
        )
    rows = _all_rows(*_met(lives, happened, days[["day"]], within_days), left)
    if not rows:
        raise Withheld(f"No sign came to {_FEW} leavers in the {within_days} days before.")
    return LastStraw(
        estimates=pd.DataFrame(rows).assign(within_days=within_days),
        subtitle=f"Times the rate of leaving in the {within_days} days after a sign, against "
        "others on the same day of their life; 95% intervals",
        note=f"Base: {words.number(left)} subscriptions that ended from {first.first_day} to "
        f"{cycle.last_day}, each against all that ran on the same day of their life. Signs on the "
        "day of leaving do not count. The p-values are Benjamini and Hochberg's. Signs are looked "
        "at one by one, and those that come together share their ratios.",
        within_days=within_days,
        beside=beside,
    )


def _lives(known: Table, first: Cycle, last: Cycle) -> Table:
    """Lay out on which days of its life each subscription was watched, and whether it left."""
    return view(
        f"""
        select subscription_id, customer_id, epoch_us(started_at) as began,
            greatest(cast(ceil(($begin - epoch_us(started_at)) / {_DAY_US}) as bigint), 0)
                as first_day,
            cast(floor((coalesce(epoch_us(ended_at), $end) - epoch_us(started_at)) / {_DAY_US})
                as bigint) as last_day,
            case when cause in ('voluntary', 'not known') then 1 else 0 end as leaves,
            case when ended_at is null then 0 else 1 end as is_over
        from h where ended_at is null or epoch_us(ended_at) >= $begin
        """,
        h=known, begin=moment_us(first.start), end=moment_us(last.cutoff),
    )  # fmt: skip


def _met(
    lives: Table, happened: Table, days: pd.DataFrame, within_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count who ran on each day of life on which somebody left, and who of them met which sign."""
    watched = view(
        """
        select 'all' as signal, first_day as from_day, leaves, last_day,
            case when leaves = 1 or is_over = 0 then last_day else last_day - 1 end as to_day
        from l
        """,
        l=lives,
    )
    # A sign counts on the `within_days` days of life that follow its own; where two of a kind
    # overlap, the later one adds the days that the earlier one has not.
    after = view(
        f"""
        select signal, subscription_id, leaves, last_day, is_over, first_day, sign_day,
            lag(sign_day) over (partition by signal, subscription_id order by sign_day) as before
        from (
            select distinct s.signal, l.subscription_id, l.leaves, l.last_day, l.is_over,
                l.first_day,
                cast(floor((epoch_us(s.occurred_at) - l.began) / {_DAY_US}) as bigint) as sign_day
            from l join s on l.customer_id = s.customer_id
        ) as d
        where sign_day < last_day and sign_day >= first_day - {within_days}
        """,
        l=lives, s=happened,
    )  # fmt: skip
    met = view(
        f"""
        select signal, leaves, last_day,
            greatest(sign_day + 1, first_day, coalesce(before + {within_days + 1}, first_day))
                as from_day,
            least(sign_day + {within_days},
                case when leaves = 1 or is_over = 0 then last_day else last_day - 1 end) as to_day
        from a
        """,
        a=after,
    )  # fmt: skip
    return _by_day(watched, days).drop(columns="signal"), _by_day(met, days)


def _by_day(spans: Table, days: pd.DataFrame) -> pd.DataFrame:
    """Count by sign and day of life the spans that hold the day, and those that end in leaving."""
    marks = query(
        """
        select signal, day, sum(came) as came, sum(had) as had from (
            select signal, from_day as day, 1 as came, 0 as had from s where from_day <= to_day
            union all
            select signal, to_day + 1, -1, 0 from s where from_day <= to_day
            union all
            select signal, last_day, 0, 1 from s
            where leaves = 1 and last_day >= from_day and last_day <= to_day
        ) as m group by signal, day order by signal, day
        """,
        s=spans, limit=_DAYS,
    )  # fmt: skip
    rows = []
    for signal, mine in marks.groupby("signal"):
        own = mine.set_index("day")
        there = own["came"].cumsum().reindex(days["day"], method="ffill").fillna(0)
        had = own["had"].reindex(days["day"]).fillna(0)
        for side, n in ((0, there - had), (1, had)):
            rows.append(pd.DataFrame({"signal": signal, "day": n.index, "had": side, "n": n}))
    if not rows:
        return pd.DataFrame({"signal": [], "day": [], "had": [], "n": []})
    found = pd.concat(rows, ignore_index=True)
    return found[found["n"] > 0].sort_values(["signal", "day", "had"], ignore_index=True)


def _all_rows(all_of: pd.DataFrame, met: pd.DataFrame, left: float) -> list[dict[str, Any]]:
    ratios: dict[str, Any] = {}
    shares: dict[str, Any] = {}
    p_values: dict[str, float] = {}
    for signal, mine in met.groupby("signal"):
        both = all_of.merge(mine, on=["day", "had"], how="left", suffixes=("", "_met"))
        with_it = both["n_met"].fillna(0).to_numpy(float)
        many = float(with_it[both["had"] == 1].sum())
        if min(many, left - many) < _FEW:
            continue
        day = both["day"].to_numpy(float)
        counts = pd.concat(
            [
                pd.DataFrame({"x": 1.0, "day": day, "had": both["had"], "n": with_it}),
                pd.DataFrame({"x": 0.0, "day": day, "had": both["had"], "n": both["n"] - with_it}),
            ]
        )
        try:
            fit = cox(
                counts[["x"]], counts["day"] + 1, counts["had"], entry=counts["day"],
                frequency=counts["n"],
            )  # fmt: skip
        except ConvergenceError:  # all leavers of a day had it and no stayer, or the like
            continue
        name = str(signal)
        ratios[name], shares[name] = fit.hazard_ratio("x"), wilson(many, left)
        p_values[name] = float(fit.table()["p_value"].iloc[0])
    rows = []
    adjusted = benjamini_hochberg([*p_values.values()]).tolist() if p_values else []
    for name, p_value in zip(p_values, adjusted, strict=True):
        size: dict[str, Any] = {
            "count": math.floor(shares[name].estimate * left + 0.5),
            "covariate": name,
        }
        said = f"Wald test, Benjamini-Hochberg over {len(p_values)}"
        ratio = interval_row(_RATIO, ratios[name], unit="mean", **size)
        rows += [
            interval_row(_SHARE, shares[name], unit="share", **size),
            ratio | {"n": left},
            estimate_row(
                _TEST, float(p_value), math.nan, math.nan, n=left, unit="p", method=said, **size
            ),
        ]
    return rows
