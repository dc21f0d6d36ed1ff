"""Who leaves without a word: no complaint, no answer, no contact?"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from cxlab.churn.leavers import CHANGE_DAYS, counted, leavers
from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, query, view
from cxlab.errors import ParameterError, Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, interval_row
from cxlab.stats.differences import newcombe, welch
from cxlab.stats.intervals import Interval, sample_variance, t_mean, wilson
from cxlab.stats.power import detectable_change

__all__ = ["SilentLeavers", "silent_leavers"]

_LEAST, _SHOWN = 10, 8
_SHARE, _WITHIN = "churn.silent_share", "churn.silent_group_share"
_FEE, _GAP = "churn.leaver_amount", "churn.leaver_amount_difference"
_DAYS, _DAYS_GAP = "churn.leaver_days", "churn.leaver_days_difference"


@dataclass(frozen=True, kw_only=True, eq=False)
class SilentLeavers(Result):
    """Share of the customers who left without having said anything.

    Attributes
    ----------
    cycle, before : str
        The cycle, and the one before.
    days : int
        How long before leaving.
    """

    cycle: str
    before: str
    days: int

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each cycle."""
        rows = self.estimates[self.estimates["metric"] == _SHARE].sort_values("cycle")
        axis = "Share of leavers who had said nothing, %"
        return charts.dots(rows, label="cycle", unit="share", axis=axis, ax=ax)

    def sentence(self) -> str:
        """How many left without a word, what they paid, and whether that changed."""
        shares = self.estimates[self.estimates["metric"] == _SHARE]
        now = shares[shares["cycle"] == self.cycle].iloc[0]
        if now["suppressed"]:
            return f"Too few customers left in {self.cycle} to tell how many did so silently."
        return (
            f"{words.value(now['estimate'], 'share')} of the {words.number(now['n'])} customers "
            f"who left in {self.cycle} had said nothing in the {self.days} days before "
            f"({words.interval(now['conf_low'], now['conf_high'], 'share')})."
            f"{self._profile()}{self._changed()}"
        )

    def _profile(self) -> str:
        """In what they clearly differ from those who spoke, then in what they do not."""
        clear, alike = [], []
        for metric, ways, named in (
            (_DAYS_GAP, ("had been under contract longer", "had been under contract for less time"),
             "time under contract"),
            (_GAP, ("paid more a month", "paid less a month"), "monthly fee"),
        ):  # fmt: skip
            rows = self.estimates[self.estimates["metric"] == metric]
            if rows.empty or rows.iloc[0]["suppressed"]:
                continue
            row = rows.iloc[0]
            low, high = float(row["conf_low"]), float(row["conf_high"])
            if low <= 0 <= high:
                alike.append(named)
                continue
            by = words.change(row["estimate"], low, high, row["unit"])
            clear.append(f"{ways[0] if low > 0 else ways[1]}, {by}")
        said = f" Against those who spoke, they {words.listing(clear)}." if clear else ""
        if alike:
            verb = "does" if len(alike) == 1 else "do"
            said += f" Their {words.listing(alike)} {verb} not clearly differ."
        return said

    def _changed(self) -> str:
        rows = self.estimates[self.estimates["metric"] == "churn.silent_change"]
        if rows.empty or rows.iloc[0]["suppressed"]:
            return ""
        row = rows.iloc[0]
        low, high = float(row["conf_low"]), float(row["conf_high"])
        if low <= 0 <= high:
            seen = words.number(100 * detectable_change(low, high), 1)
            return f" No clear change from {self.before} (we could have seen one of {seen} points)."
        return (
            f" {'More' if low > 0 else 'Fewer'} than in {self.before}: "
            f"{words.change(row['estimate'], low, high, 'share')}."
        )


def silent_leavers(
    subscriptions: TableLike,
    said: TableLike,
    *,
    cycle: Cycle,
    currency: str,
    by: str | None = None,
    days: int = 180,
    complete_from: date | None = None,
) -> SilentLeavers:
    """Share of the customers who left that had said nothing for long before.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`, and `monthly_amount`
        where fees are to be compared.
    said : table
        customer_id, occurred_at: complaints, contacts and answers, as `voices` gathers them.
    cycle : Cycle
        Customers of whom a subscription ended in it, each once; not those who kept another
        one, or began one within a week.
    currency : str
        Of the fees, ISO 4217.
    by : str, optional
        A column of `subscriptions`: the share of each of its groups, for the profile.
    days : int
        How long before the end a word counts.
    complete_from : datetime.date, optional
        First day of the records: cycles that began before so many days of them had passed are
        not shown, for silence of which there is no record is none.

    Returns
    -------
    SilentLeavers
        `churn.silent_share` by cycle, `churn.silent_change`, and the profile: by `voice` the
        mean monthly fee `churn.leaver_amount` and the mean time under contract
        `churn.leaver_days`, each with its difference, and `churn.silent_group_share`.

    Raises
    ------
    Withheld
        If fewer than ten customers left, or the records do not reach back so far.
    ParameterError
        If `days` is below 1.

    Notes
    -----
    Wilson's interval for shares, Newcombe's for their change, Welch's for fees and times.
    """
    if days < 1:
        raise ParameterError(f"days must be 1 or more, but is {days}.")
    cycles = [cycle]
    earliest = complete_from + timedelta(days=days) if complete_from else date.min
    while len(cycles) < _SHOWN and cycles[-1].previous.first_day >= max(earliest, date(2, 1, 1)):
        cycles.append(cycles[-1].previous)
    if cycle.first_day < earliest:
        raise Withheld(
            f"Silence of {days} days before {cycle.name} cannot be told: records begin on "
            f"{complete_from}."
        )
    ended = leavers(subscriptions, said, cycles, days, by)
    stay = query(
        "select coalesce(sum(stays), 0) as n from e where cycle = $cycle", e=ended, cycle=cycle.name
    )["n"][0]
    gone = view("select * from e where stays = 0", e=ended)
    counts = counted(gone)
    now = counts[counts["cycle"] == cycle.name]
    left = float(now["n"].sum())
    if left < _LEAST:
        raise Withheld(
            f"Silent leavers need {_LEAST} customers who left, but {words.number(left)} did in "
            f"{cycle.name}."
        )
    rows, before = [], None
    for each in cycles:
        mine = counts[counts["cycle"] == each.name]
        n, silent = float(mine["n"].sum()), float(mine.loc[mine["silent"] == 1, "n"].sum())
        if n < _LEAST:
            continue
        # Who spoke can be told from who did not, so the smaller side is the cell.
        rows.append(_row(_SHARE, wilson(silent, n), min(silent, n - silent), cycle=each.name))
        if each == cycle.previous:
            before = (silent, n)
    if before is not None:
        silent = float(now.loc[now["silent"] == 1, "n"].sum())
        change = newcombe(silent, left, *before)
        rows.append(_row("churn.silent_change", change, min(silent, before[0])))
    rows += _fees(now, currency) + _compared((_DAYS, _DAYS_GAP), _sides(now, "days"), "days", {})
    if by is not None:
        rows += _groups(gone, cycle, by)
    frame = pd.DataFrame(rows).assign(within_days=days)
    if by is not None:
        frame[by] = frame[by].where(frame[by].notna(), None)
    return SilentLeavers(
        estimates=frame,
        subtitle=f"Share of customers who left without ticket, contact, answer or comment in the "
        f"{days} days before, %; 95% interval",
        noted=lambda least: (
            f"Base: {words.number(left)} customers of whom a subscription ended in "
            f"{cycle.name}, each once. {_stayed(float(stay), least)} Those who leave silently may "
            "have spoken where nobody records it; they may also differ from the others in what is "
            "not shown here."
        ),
        cycle=cycle.name,
        before=cycle.previous.name,
        days=days,
    )


def _stayed(stay: float, least: int) -> str:
    """Say how many have another subscription, and are not taken for gone."""
    if not stay:
        return f"None of them kept another one, or began one within {CHANGE_DAYS} days."
    return (
        f"Not among them: {words.plural_from(least, stay, 'customer')} who kept another one, or "
        f"began one within {CHANGE_DAYS} days."
    )


def _groups(gone: Table, cycle: Cycle, by: str) -> list[dict[str, Any]]:
    """Share of the silent among those who left of each group, the largest first."""
    counts = query(
        f"""
        select coalesce(grp, '{NOT_KNOWN}') as grp, count(*) as n, sum(silent) as silent
        from l where cycle = $cycle group by coalesce(grp, '{NOT_KNOWN}') order by n desc, grp
        """,
        l=gone,
        cycle=cycle.name,
    )
    return [
        _row(_WITHIN, wilson(y, n), min(y, n - y), cycle=cycle.name, **{by: group})
        for group, n, y in counts.itertuples(index=False)
    ]


def _row(metric: str, found: Interval, count: float, **dims: Any) -> dict[str, Any]:
    every = {"cycle": None, "voice": None} | dims
    return interval_row(metric, found, unit="share", count=count, **every)


def _fees(now: pd.DataFrame, currency: str) -> list[dict[str, Any]]:
    """Mean monthly fee of silent leavers and of those who spoke, and the difference."""
    if (now["paying"] < now["n"]).any():  # a fee that is not known would bend the mean
        return []
    money = {
        _voice(row): Money.of(*(float(row[c]) for c in ("paid", "paid", "largest", "two_largest")))
        for row in now.to_dict("records")
    }
    return _compared((_FEE, _GAP), _sides(now, "paid"), currency, money)


def _sides(now: pd.DataFrame, of: str) -> dict[str, tuple[float, float, float]]:
    """Customers, sum and sum of squares, of those who were silent and of those who spoke."""
    return {
        _voice(row): (float(row["n"]), float(row[of]), float(row[f"{of}_2"]))
        for row in now.to_dict("records")
    }


def _voice(row: dict[Any, Any]) -> str:
    return "silent" if row["silent"] else "heard"


def _compared(
    metrics: tuple[str, str],
    sides: dict[str, tuple[float, float, float]],
    unit: str,
    money: dict[str, Money],
) -> list[dict[str, Any]]:
    """Mean of each side and their difference; nothing where a side has no variance."""
    if len(sides) < 2 or any(n < 2 or not sample_variance(n, *s) > 0 for n, *s in sides.values()):
        return []
    dims: dict[str, Any] = {"cycle": None}
    rows = [
        interval_row(metrics[0], t_mean(*sums), unit=unit, count=sums[0], money=money.get(voice),
                     voice=voice, **dims)
        for voice, sums in sides.items()
    ]  # fmt: skip
    gap = welch(sides["silent"], sides["heard"])
    both = Money.either(*money.values()) if money else None
    least = min(n for n, *_ in sides.values())
    row = interval_row(metrics[1], gap, unit=unit, count=least, money=both, voice=None, **dims)
    return [*rows, row]
