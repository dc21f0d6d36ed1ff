"""What do people do in one go: how many contacts, for how long, and to what end?"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.data.span import moment_us, span_us
from cxlab.errors import DataError, Withheld
from cxlab.journeys.contacts import contacts_left_out
from cxlab.journeys.exact import seconds, sum_of_products
from cxlab.journeys.log.session_rows import session_rows
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, cluster_mean, clustered_share
from cxlab.stats.intervals import t_mean

__all__ = ["Sessions", "sessions"]

_FEWEST = 10  # people without whom no mean is worth its name
_SIZES = (("1", 1, 1), ("2", 2, 2), ("3", 3, 3), ("4", 4, 4), ("5 to 9", 5, 9))
_LARGE = "10 or more"
_MEANS = {"contacts": "contacts", "engaged_minutes": "engaged", "minutes": "whole"}
_TIMES = ("engaged", "whole")  # summed in whole seconds, told in minutes


@dataclass(frozen=True, kw_only=True, eq=False)
class Sessions(Result):
    """Sessions that began in a cycle: how many, how long, and how they went."""

    cycle: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of sessions by their number of contacts."""
        return charts.columns(
            self._rows("sessions.size_share"), x="contacts", unit="share", low="conf_low",
            high="conf_high", axis="Share of sessions, %", name="Contacts in a session", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many there were, how many had one contact alone, and what came of them."""
        count = self._rows("sessions.count").iloc[0]
        if count["suppressed"]:
            return f"Too few people had a session in {self.cycle} to show them."
        said = f"{words.plural(count['estimate'], 'session')} began in {self.cycle}"
        parts = []
        for metric, what in (
            ("sessions.single_share", "were a single contact"),
            ("sessions.outcome_share", "reached the outcome"),
        ):
            rows = self._rows(metric)
            if len(rows) and not rows["suppressed"].iloc[0]:
                parts.append(f"{words.value(rows['estimate'].iloc[0], 'share')} {what}")
        return f"{said}; {words.listing(parts)}." if parts else f"{said}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)


def sessions(
    interactions: TableLike,
    *,
    cycle: Cycle,
    timeout: str = "30 minutes",
    starts: Collection[str] = (),
    ends: Collection[str] = (),
    outcome: Collection[str] = (),
    longest: str = "5 minutes",
    given: bool = False,
) -> Sessions:
    """Describe the sessions that began in a cycle.

    Parameters
    ----------
    interactions : table
        As for `split_sessions`, and `duration_s`, `is_bot` and `session_id` where known.
    cycle : Cycle
        Sessions whose first contact lies within it.
    timeout, starts, ends
        As for `split_sessions`.
    outcome : collection of str
        Activities that a session is meant to lead to, such as a purchase.
    longest : str
        How long a contact of unknown length counts at most, until the next one.
    given : bool
        Take the log's own `session_id` in place of the timeout; contacts without one are
        left out, and one that names several persons is a session of each.

    Returns
    -------
    Sessions
        Number of sessions, sessions per person, contacts and minutes per session, and the
        shares with a single contact, with the outcome, and by number of contacts.

    Raises
    ------
    Withheld
        If fewer than ten people had a session, or `given` without any `session_id`.

    Notes
    -----
    Whole time runs from the first contact to the last, and to the end of the last where its
    `duration_s` is known. Engaged time counts each contact for its own `duration_s`, where
    unknown for `longest`, but never beyond the next contact; the last one only if its length
    is known. No length counts beyond the timeout. Engaged time is thus never longer than
    whole time. Means are of sessions, with people as clusters.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> log = pd.DataFrame({"customer_id": [f"c{i // 2}" for i in range(24)],
    ...                     "activity": "seen", "occurred_at": pd.Timestamp("2018-02-01")})
    >>> sessions(log, cycle=parse_cycle("2018Q1")).sentence()
    '12 sessions began in 2018Q1; 0.0% were a single contact.'
    """
    (log,) = in_one_engine(interactions)
    rows = session_rows(
        log, cycle=cycle, timeout=timeout, starts=starts, ends=ends, given=given
    )  # fmt: skip
    each = keep(_each(rows, outcome, timeout=timeout, longest=longest))
    people = _people(each)
    if people["people"] < _FEWEST:
        raise Withheld(
            f"Sessions need at least {_FEWEST} people, but {words.number(people['people'])} had "
            f"one that began in {cycle.name}."
        )
    if people["overdrawn"]:
        raise DataError(
            "Engaged time must not be longer than whole time, but is for "
            f"{people['overdrawn']:.0f} sessions. Check occurred_at and duration_s."
        )
    return Sessions(
        estimates=pd.DataFrame(_estimates(people, with_outcome=bool(outcome))),
        subtitle=f"Share of the sessions that began in {cycle.name} by their number of contacts, "
        "%; 95% interval, people as clusters",
        noted=_noted(log, each, cycle, timeout, longest, given=given),
        cycle=cycle.name,
    )


def _each(rows: Table, outcome: Collection[str], *, timeout: str, longest: str) -> Table:
    """Sum up each session: contacts, engaged and whole time in minutes, outcome or not."""
    length = "cast(null as bigint)"
    if "duration_s" in rows.columns:
        # Written out, since the greatest of nothing and 0 would be 0.
        length = (
            f"case when r.duration_s >= 0 then "
            f"least(cast(floor(r.duration_s * 1000000) as bigint), {span_us(timeout)}) end"
        )
    tie = "interaction_id" if "interaction_id" in rows.columns else "activity"
    return view(
        f"""
        with said as (
            select r.person_id, r.session_no, r.at_us, r.{tie} as tie, {length} as length_us,
                case when o.activity is null then 0 else 1 end as is_outcome
            from r left join o on r.activity = o.activity
        ),
        timed as (
            select *, lead(at_us) over (
                partition by person_id, session_no order by at_us, tie
            ) - at_us as pause_us
            from said
        )
        select person_id, session_no, max(at_us) as last_us,
            count(*) as contacts, max(is_outcome) as is_reached,
            sum(case when pause_us is null then coalesce(length_us, 0)
                else least(pause_us, coalesce(length_us, {span_us(longest)})) end) as engaged_us,
            sum(coalesce(pause_us, length_us, 0)) as whole_us
        from timed group by person_id, session_no
        """,
        r=rows,
        o=pd.DataFrame({"activity": sorted(set(outcome))}, dtype="object"),
    )


def _people(each: Table) -> dict[str, float]:
    """Sums over people: sessions, and per measure what a mean or share over sessions needs."""
    sizes = {f"size_{i}": f"contacts between {a} and {b}" for i, (_, a, b) in enumerate(_SIZES)}
    sizes[f"size_{len(_SIZES)}"] = f"contacts > {_SIZES[-1][2]}"
    flags = {"single": "contacts = 1", "reached": "is_reached = 1", **sizes}
    measures = {
        "contacts": "contacts",
        "engaged": seconds("engaged_us"),
        "whole": seconds("whole_us"),
        **{name: f"case when {rule} then 1 else 0 end" for name, rule in flags.items()},
    }
    each_person = ", ".join(f"sum({sql}) as {name}" for name, sql in measures.items())
    sums = ", ".join(
        f"sum({m}) as {m}_total, {sum_of_products(m, 'n')} as {m}_n_total, "
        f"{sum_of_products(m, m)} as {m}_total_total, "
        f"count(*) filter (where {m} > 0) as {m}_persons"
        for m in measures
    )
    found = query(
        f"""
        with person as (
            select person_id, count(*) as n, {each_person},
                sum(case when engaged_us > whole_us then 1 else 0 end) as overdrawn
            from e group by person_id
        )
        select count(*) as people, coalesce(sum(n), 0) as n, sum(n * n) as n_n,
            coalesce(sum(overdrawn), 0) as overdrawn, {sums}
        from person
        """,
        e=each,
    )
    people = {str(k): float(v) for k, v in found.iloc[0].items()}
    for name in _TIMES:
        for k, power in (("total", 1), ("n_total", 1), ("total_total", 2)):
            people[f"{name}_{k}"] /= 60**power
    return people


def _estimates(people: dict[str, float], *, with_outcome: bool) -> list[dict[str, Any]]:
    base = {"persons": people["people"], "n": people["n"], "n_n": people["n_n"]}
    n = base["n"]

    def parts(name: str) -> dict[str, float]:
        return {k: people[f"{name}_{k}"] for k in ("total", "n_total", "total_total")}

    def share(metric: str, name: str, size: str | None = None) -> dict[str, Any]:
        found = clustered_share({**base, **parts(name)})
        count = people[f"{name}_persons"]
        return interval_row(metric, found, unit="share", count=count, contacts=size)

    rows = [
        estimate_row(
            "sessions.count", n, n, n, n=n, count=base["persons"], unit="count",
            method="complete count", contacts=None,
        ),
        interval_row(
            "sessions.per_person", t_mean(base["persons"], n, base["n_n"]), unit="mean",
            contacts=None,
        ),
    ]  # fmt: skip
    for metric, name in _MEANS.items():
        sums = ClusterSums(customers=base["persons"], n=n, n_n=base["n_n"], **parts(name))
        found = cluster_mean(sums)
        rows.append(
            interval_row(
                f"sessions.{metric}", found, unit="mean", count=base["persons"], contacts=None
            )
        )
    rows.append(share("sessions.single_share", "single"))
    if with_outcome:
        rows.append(share("sessions.outcome_share", "reached"))
    names = [name for name, _, _ in _SIZES] + [_LARGE]
    return rows + [share("sessions.size_share", f"size_{i}", s) for i, s in enumerate(names)]


def _noted(
    log: Table, each: Table, cycle: Cycle, timeout: str, longest: str, *, given: bool
) -> Callable[[int], str]:
    """Count what the note says, and write it for a smallest number of people."""
    rule = (
        "as the log's own session_id has them" if given else f"ended by a pause of over {timeout}"
    )
    said = [
        f"Sessions {rule}; engaged time counts a contact of unknown length for at most {longest}."
    ]
    still = 0
    if not given:
        since = cycle.cutoff - timedelta(microseconds=span_us(timeout))
        still = query(
            "select count(*) as n from e where last_us >= $since", e=each,
            since=moment_us(since),
        )["n"][0]  # fmt: skip
    left = contacts_left_out(
        log, cutoff=cycle.cutoff, start=cycle.start, key="session_id" if given else None
    )
    if left:
        gone = [f"{words.number(count)} {reason}" for reason, count in left.items()]
        said.append(f"Contacts left out: {words.listing(gone)}.")
    rest = " ".join(said[1:])

    def written(least: int) -> str:
        on = words.plural_from(least, still, "session")
        going = f"{on} may still have gone on when the cycle ended." if still else ""
        return " ".join(part for part in (said[0], words.begun(going), rest) if part)

    return written
