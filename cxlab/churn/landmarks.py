"""Subscriptions as they stood when each cycle began, and what became of them within it.

At a landmark only what happened before is known; what comes after is what is to be explained.
Each row is under observation in (entry, stop] weeks of its life, so that the rows of one
subscription follow each other and do not overlap.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from cxlab.churn.spells import spells
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.errors import ParameterError

__all__ = ["PROTECTED", "Landmarks", "is_protected", "landmarks", "windows_of"]

# What the law protects people from being treated by, as words within the names that data give it.
PROTECTED = frozenset((
    "gender", "sex", "birth", "birthday", "birthdate", "birthyear", "born", "dob", "age", "senior",
    "religion", "faith", "ethnicity", "ethnic", "race", "nationality", "citizen", "citizenship",
    "disability", "disabled", "health", "marital", "married", "partner", "spouse", "dependents",
    "children", "pregnancy", "pregnant", "orientation",
))  # fmt: skip
# What has an age is no person then, and a partner may be a company.
_OF_THINGS = frozenset(
    ("account", "contract", "device", "plan", "subscription", "tenure", "channel", "sales")
)
_WEEK_US = 7 * 86_400_000_000
_MOST = 2  # more of one sign within the window count as so many


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Rows at landmarks in the engine, and what is known of each.

    Attributes
    ----------
    rows : Table
        subscription_id, customer_id, cycle, entry, stop (weeks of life), cause (missing where
        it did not end within the cycle), the attributes as text, and `s0`, `s1`, ...: how often
        each sign was seen in the window before, at most 2.
    attributes, signs : list of str
        What is known: columns, and signs in the order of their columns.
    """

    rows: Table
    attributes: list[str]
    signs: list[str]

    @property
    def sign_columns(self) -> list[str]:
        """Columns of the signs."""
        return [f"s{i}" for i in range(len(self.signs))]


def landmarks(
    subscriptions: TableLike,
    signals: TableLike | None = None,
    *,
    cycle: Cycle,
    drivers: Sequence[str] = (),
    window_days: int = 91,
    cycles: int = 8,
    complete_from: date | None = None,
    known_at: datetime | None = None,
) -> Landmarks:
    """Set up a row for each subscription that ran when a cycle began.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`, and the drivers.
    signals : table, optional
        customer_id, signal, occurred_at, as `signals` gathers them.
    cycle : Cycle
        The last one; what happened from its cutoff on is not known.
    drivers : sequence of str
        Columns of `subscriptions` that were known when it began.
    window_days : int
        Signs count for so many days.
    cycles : int
        How many cycles back.
    complete_from : datetime.date, optional
        First day of the records: no landmark lies before the end of the first window of signs.
    known_at : datetime.datetime, optional
        Nothing from this moment on is known. Default: the cutoff of the cycle. With the
        beginning of the cycle, what will become of its rows is open.

    Returns
    -------
    Landmarks
        Kept in the engine, for counts and errors alike look at all rows.

    Raises
    ------
    ParameterError
        If a driver is an attribute that people must not be treated by.
    """
    barred = [name for name in drivers if is_protected(name)]
    if barred:
        raise ParameterError(
            f"drivers must not name attributes that the law protects, but name {barred}. "
            "Leave them out."
        )
    cutoff = known_at or cycle.cutoff
    known = spells(subscriptions, cutoff=cutoff)
    known.need(*drivers)
    windows = windows_of(cycle, cycles, window_days if signals is not None else 0, complete_from)
    listed = "".join(
        f', coalesce(cast(h."{d}" as varchar), \'not known\') as "{d}"' for d in drivers
    )
    weeks = f"cast(floor((epoch_us({{0}}) - epoch_us(h.started_at)) / {_WEEK_US}) as bigint)"
    rows = view(
        f"""
        select h.subscription_id, h.customer_id, w.cycle{listed},
            {weeks.format("w.since")} as entry,
            case when h.ended_at < w.until then {weeks.format("h.ended_at")} + 1
                else {weeks.format("w.until")} end as stop,
            case when h.ended_at < w.until then h.cause end as cause
        from h join w on h.started_at < w.since and (h.ended_at is null or h.ended_at >= w.since)
        """,
        h=known,
        w=windows,
    )
    if signals is None:
        return Landmarks(keep(rows), list(drivers), [])
    return Landmarks(*_with_signs(rows, list(drivers), signals, windows, cutoff))


def is_protected(name: str) -> bool:
    """Tell whether a column is named after what the law protects people from being treated by.

    >>> [is_protected(n) for n in ("SeniorCitizen", "date_of_birth", "account_age", "package")]
    [True, True, False, False]
    """
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    named = {word.lower() for word in parts}
    return bool(named & PROTECTED) and not named & _OF_THINGS


def windows_of(
    cycle: Cycle, cycles: int, window_days: int, complete_from: date | None
) -> pd.DataFrame:
    """List the cycles whose beginnings are landmarks, and the window of signs before each.

    The last one is listed whatever was watched; no other lies before the end of the first
    window of the records.
    """
    first_watched = complete_from + timedelta(days=window_days) if complete_from else date.min
    chosen = [cycle]
    while len(chosen) < cycles and chosen[-1].previous.first_day >= first_watched:
        chosen.append(chosen[-1].previous)
    return pd.DataFrame(
        {
            "cycle": [c.name for c in chosen],
            "since": [c.start for c in chosen],
            "until": [c.cutoff for c in chosen],
            "seen_from": [c.start - timedelta(days=window_days) for c in chosen],
        }
    )


def _with_signs(
    rows: Table, drivers: list[str], signals: TableLike, windows: pd.DataFrame, cutoff: datetime
) -> tuple[Table, list[str], list[str]]:
    """Add how often each sign was seen in the window before each landmark."""
    _, happened = in_one_engine(rows, signals)
    names = query(
        "select signal from g where occurred_at < $cutoff group by signal order by signal",
        g=happened,
        cutoff=cutoff,
    )["signal"].tolist()
    if not names:
        return keep(rows), drivers, []
    places = pd.DataFrame({"signal": names, "place": range(len(names))})
    counts = ", ".join(
        f"sum(case when p.place = {i} then 1 else 0 end) as s{i}" for i in range(len(names))
    )
    seen = view(
        f"""
        select g.customer_id, w.cycle, {counts}
        from g join p on g.signal = p.signal
        join w on g.occurred_at >= w.seen_from and g.occurred_at < w.since
        group by g.customer_id, w.cycle
        """,
        g=happened, p=places, w=windows,
    )  # fmt: skip
    each = ", ".join(f"least(coalesce(n.s{i}, 0), {_MOST}) as s{i}" for i in range(len(names)))
    joined = view(
        f"""
        select r.*, {each} from r
        left join n on r.customer_id = n.customer_id and r.cycle = n.cycle
        """,
        r=rows, n=seen,
    )  # fmt: skip
    return keep(joined), drivers, names
