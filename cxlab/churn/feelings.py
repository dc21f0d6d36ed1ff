"""Do customers who felt bad leave sooner than those who felt good?"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from cxlab.churn.landmarks import windows_of
from cxlab.churn.retention_difference import RetentionDifference, retention_difference
from cxlab.churn.spells import spells
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.errors import ParameterError, Withheld
from cxlab.report import words

__all__ = ["RetentionByFeeling", "retention_by_feeling"]

_OWN = {
    "churn.lifetime_days": "feeling.lifetime_days",
    "churn.lifetime_difference": "feeling.lifetime_difference",
    "churn.p_value": "feeling.p_value",
    "churn.p_holm": "feeling.p_holm",
}
_DAY_US = 86_400_000_000
GOOD, BETWEEN, BAD = "good", "in between", "bad"
_THIRD = 3  # a scale from -1 to +1 in three parts of one width, named before any data are seen


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionByFeeling(RetentionDifference):
    """Mean time under contract after customers said what they felt, and differences."""

    stem = "feeling"

    def sentence(self) -> str:
        """By how much those who felt bad leave sooner than those who felt good, or neither."""
        pair = self._pair_of(GOOD, BAD)
        first = f"of the next {words.number(self.horizon_days)} days"
        if pair is None:
            return "Too few subscriptions have ended to compare those who felt good and bad."
        size = words.value(abs(pair["estimate"]), "days")
        ends = sorted((pair["conf_low"], pair["conf_high"]), key=abs)
        if pair["conf_low"] <= 0 <= pair["conf_high"]:
            return (
                "Customers who felt good and those who felt bad do not clearly differ in how long "
                f"they stay: good less bad is {words.signed(pair['estimate'], 'days')} {first} "
                f"({words.signed(pair['conf_low'], 'days')} to "
                f"{words.signed(pair['conf_high'], 'days')})."
            )
        who = (GOOD, BAD) if pair["estimate"] > 0 else (BAD, GOOD)
        span = words.interval(abs(ends[0]), abs(ends[1]), "days")
        return (
            f"Customers who felt {who[0]} stay {size} {first} longer than those who felt {who[1]} "
            f"({span}). Association, not cause."
        )


def retention_by_feeling(
    subscriptions: TableLike,
    valences: TableLike,
    *,
    cycle: Cycle,
    window_days: int = 91,
    cycles: int = 8,
    horizon_days: int = 182,
    complete_from: date | None = None,
) -> RetentionByFeeling:
    """Compare how long subscriptions go on, by what their customers had said they felt.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`.
    valences : table
        customer_id, answered_at, valence (-1 to +1), one row per answer.
    cycle : Cycle
        The last one: all is as known at its end.
    window_days : int
        Answers count for so many days before a cycle begins.
    cycles : int
        How many cycles' beginnings are looked at, this one's included.
    horizon_days : int
        Time under contract is counted within so many days, in whole weeks; shortened to what
        was watched of ten subscriptions of each group.
    complete_from : datetime.date, optional
        First day of the records: no beginning lies before the end of the first window.

    Returns
    -------
    RetentionByFeeling
        `feeling.lifetime_days` of those who felt good, bad or in between: restricted mean time
        under contract; `feeling.lifetime_difference`, `feeling.p_value` and `feeling.p_holm`.

    Raises
    ------
    Withheld
        If nobody who answered ran a subscription, or fewer than two groups have ten endings.
    ParameterError
        If a window or a horizon is too short.

    Notes
    -----
    The beginning of a cycle is a landmark: who ran a subscription then is grouped by the mean
    of what they had said in the window before, and is watched from then on. A subscription
    counts once, from the first landmark at which a feeling of its customer was known. Nothing
    that came later chose the group, so that nobody had to stay to be asked. Groups are thirds
    of the scale. No confounder is held equal; the note says what differs.

    References
    ----------
    Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1, 710-719, on landmarks;
    Royston & Parmar (2013), BMC Medical Research Methodology 13, 152.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> who = [f"c{i}" for i in range(120)]
    >>> ends = [pd.Timestamp("2018-01-15")] * 40 + [pd.Timestamp("2018-03-20")] * 20
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(120), "customer_id": who,
    ...     "started_at": pd.Timestamp("2017-06-01"), "ended_at": ends + [pd.NaT] * 60})
    >>> said = pd.DataFrame({
    ...     "customer_id": who, "answered_at": pd.Timestamp("2017-12-01"),
    ...     "valence": [-0.9] * 50 + [0.8] * 70})
    >>> retention_by_feeling(held, said, cycle=parse_cycle("2018Q1")).sentence()[:65]
    'Customers who felt good stay 50.4 days of the next 84 days longer'
    """
    if window_days < 1:
        raise ParameterError(f"window_days must be 1 or more, but is {window_days}.")
    windows = windows_of(cycle, cycles, window_days, complete_from)
    # The first landmark with an answer comes first, so what has none there never had one.
    running = _running(subscriptions, valences, windows, cycle)
    each = keep(view("select * from r where place = 1", r=running))
    told = view("select * from r where answers > 0", r=each)
    about = _about(told)
    if about.empty:
        raise Withheld(
            f"No customer with a subscription had said what they felt in the {window_days} days "
            f"before one of the last {words.plural(cycles, 'cycle')} began."
        )
    found = retention_difference(
        told[["subscription_id", "customer_id", "started_at", "ended_at", "feeling"]],
        cycle=cycle, by="feeling", horizon_days=horizon_days,
    )  # fmt: skip
    silent = query("select count(*) as n from r where answers = 0", r=each)["n"].iloc[0]
    rows = found.estimates.assign(metric=found.estimates["metric"].map(_OWN))
    return RetentionByFeeling(
        estimates=rows,
        subtitle="Mean days under contract after a cycle began, within the next "
        f"{words.number(found.horizon_days)}, by what customers had said they felt in the "
        f"{window_days} days before; 95% intervals",
        note=_note(about, int(silent), cycle),
        by="feeling",
        horizon_days=found.horizon_days,
    )


def _running(
    subscriptions: TableLike, valences: TableLike, windows: pd.DataFrame, cycle: Cycle
) -> Table:
    """Subscriptions at each landmark, with what was felt before it; the first answered is 1."""
    held = spells(subscriptions, cutoff=cycle.cutoff)
    _, said = in_one_engine(held, valences)
    said.need("customer_id", "answered_at", "valence")
    felt = view(
        """
        select v.customer_id, w.since, count(*) as answers,
            sum(cast(v.valence as decimal(18, 12))) as total
        from v join w on v.answered_at >= w.seen_from and v.answered_at < w.since
        where v.valence is not null group by v.customer_id, w.since
        """,
        v=said, w=windows,
    )  # fmt: skip
    return view(
        f"""
        select h.subscription_id, h.customer_id, h.started_at as began_at, w.since as started_at,
            h.ended_at, coalesce(f.answers, 0) as answers,
            case when {_THIRD} * f.total > f.answers then '{GOOD}'
                when {_THIRD} * f.total < -f.answers then '{BAD}'
                else '{BETWEEN}' end as feeling,
            row_number() over (
                partition by h.subscription_id
                order by case when f.answers is null then 1 else 0 end, w.since) as place
        from h join w on h.started_at < w.since and (h.ended_at is null or h.ended_at >= w.since)
        left join f on h.customer_id = f.customer_id and w.since = f.since
        """,
        h=held, w=windows, f=felt,
    )  # fmt: skip


def _about(told: Table) -> pd.DataFrame:
    """How many subscriptions each group has, and how old they were at their landmark."""
    return query(
        """
        select feeling, count(*) as n,
            sum(epoch_us(started_at) - epoch_us(began_at)) as microseconds
        from t group by feeling order by feeling
        """,
        t=told,
    )


def _note(about: pd.DataFrame, silent: int, cycle: Cycle) -> str:
    ages: list[Any] = [
        f"{words.number(row['microseconds'] / row['n'] / _DAY_US)} days ({row['feeling']})"
        for row in about[about["n"] >= 10].to_dict("records")  # few people are not described
    ]
    older = f" On that day they had run for {words.listing(ages)} on average." if ages else ""
    return (
        f"Base: {words.number(about['n'].sum())} subscriptions whose customers had said what they "
        f"felt before a cycle began, as known at the end of {cycle.name}; of "
        f"{words.number(silent)} that ran at such a time no feeling was ever known. Good and bad "
        f"are the upper and the lower third of the scale.{older} Nothing is held equal: age, "
        "plan, region and what had happened may differ, and who answers may differ from who "
        "does not. The p-values are Holm's, for all pairs."
    )
