"""The one question over all customers that tells who is missing.

What leaves the engine is a row per side and group, never one of a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cxlab.data.consent_record import over_everybody
from cxlab.trust.consent_sums import ConsentSums

if TYPE_CHECKING:
    from cxlab.data.lab import Lab

__all__ = ["VARIABLES", "consent_sums"]

VARIABLES = ("region", "acquisition_channel", "tenure", "lifecycle")
LEVELS = 24  # largest groups of a variable that stand alone

_TENURE = """
case when c.first_seen_at is null then 'not known'
    when date_diff('day', c.first_seen_at, $cutoff) < 91 then 'below a quarter'
    when date_diff('day', c.first_seen_at, $cutoff) < 365 then 'a quarter to a year'
    when date_diff('day', c.first_seen_at, $cutoff) < 730 then 'one to two years'
    else 'two years or more' end
"""

_LIFECYCLE = """
case when b.last_at is null then 'no purchase yet'
    when date_diff('day', b.last_at, $cutoff) <= $cooling_days then 'active'
    when date_diff('day', b.last_at, $cutoff) <= $lapse_days then 'cooling'
    else 'lapsed' end
"""

_BOUGHT = """
bought as (
    select customer_id, max(placed_at) as last_at,
        sum(case when placed_at >= $start then 1 else 0 end) as orders,
        sum(case when placed_at >= $start then cast(net_amount as decimal(18, 2))
            else 0 end) as spent
    from orders where placed_at < $cutoff and {stands} group by customer_id
)
"""

_ANSWERED = """
answered as (
    select customer_id, count(*) as answers,
        sum(case when value >= scale_max - 1 then 1 else 0 end) as satisfied
    from answers
    where construct = 'csat' and answered_at >= $start and answered_at < $cutoff
    group by customer_id
)
"""

_PERSON = """
person as (
    select case when w.status in ({allowed}) then 1 else 0 end as consents, {columns}
    from customers as c join words as w on c.customer_id = w.customer_id
        {joins}
)
"""

# How evenly each side's money comes from its customers.
_RANKED = """
ranked as (
    select *, row_number() over (partition by consents order by abs(spent) desc) as place
    from person
)
"""
_LARGEST = (
    ", sum(abs(spent)) as gross, max(abs(spent)) as largest, "
    "sum(case when place <= 2 then abs(spent) else 0 end) as two_largest"
)

# Squares of decimals of 18 digits need room; 19 makes it, and fits the 38 of Spark.
_MONEY = "cast(spent as decimal(18, 4))"
_OUTCOMES = {
    "orders per customer": ("1", "orders"),
    "net amount per customer": ("1", _MONEY),
    "satisfied": ("answers", "satisfied"),
}


def consent_sums(lab: "Lab", *, weigh_by: tuple[str, ...]) -> ConsentSums:
    """Ask for the sums, of what the study knows.

    Parameters
    ----------
    lab : Lab
        The study, opened for the purpose in question.
    weigh_by : tuple of str
        Variables of the finest groups.

    Returns
    -------
    ConsentSums
        Counts and sums by side and group.
    """
    columns = lab.snapshot.columns
    parts = [_people(columns["customers"], lab)]
    if "orders" in lab.tables:
        parts.append(_purchases(columns["orders"], lab))
    if "answers" in lab.tables:
        parts.append(_answers(lab))
    known = tuple(v for v in VARIABLES if any(v in part.columns for part in parts))
    fine = tuple(v for v in weigh_by if v in known)
    outcomes = {name: unit for part in parts for name, unit in part.outcomes.items()}
    shown = {name: sql for part in parts for name, sql in part.columns.items()} or {"one": "1"}
    allowed = ", ".join(f"'{status}'" for status in lab.gate.allowed)
    person = _PERSON.format(
        allowed=allowed,
        columns=", ".join(f"{sql} as {name}" for name, sql in shown.items()),
        joins=" ".join(join for part in parts for join in part.joins),
    )
    money = "spent" in shown
    ctes = [*(cte for part in parts for cte in part.ctes), person, *([_RANKED] if money else [])]
    sets = list(dict.fromkeys([(), *((v,) for v in known), fine]))
    names = "".join(f", {v}" for v in known)
    listed = ", ".join(f"({', '.join(('consents', *each))})" for each in sets)
    frame = over_everybody(
        lab,
        f"with {', '.join(ctes)} "
        f"select consents{names}, {_level_of(sets, known)} as level, count(*) as people"
        f"{''.join(_sums_of(i, name) for i, name in enumerate(outcomes))}"
        f"{_LARGEST if money else ''} from {'ranked' if money else 'person'} "
        f"group by grouping sets ({listed}) order by level, consents{names}",
        *(table for part in parts for table in part.tables),
        **{name: value for part in parts for name, value in part.values.items()},
    )
    return ConsentSums(frame=frame, variables=known, weigh_by=fine, outcomes=outcomes)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one table adds to the question: how to join it, and what it says of a person."""

    tables: tuple[str, ...]
    columns: dict[str, str]
    ctes: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    outcomes: dict[str, str] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)


def _people(has: Sequence[str], lab: "Lab") -> _Part:
    named = [v for v in ("region", "acquisition_channel") if v in has]
    columns = {
        v: f"case when c.{v} is null then 'not known' when l_{v}.name is null then 'all others' "
        f"else c.{v} end"
        for v in named
    }
    since = "first_seen_at" in has
    return _Part(
        tables=("customers", "words"),
        columns=columns | ({"tenure": _TENURE} if since else {}),
        ctes=tuple(_levels(v) for v in named),
        joins=tuple(f"left join {v}_levels as l_{v} on l_{v}.name = c.{v}" for v in named),
        values={"cutoff": lab.cycle.cutoff} if since else {},
    )


def _purchases(has: Sequence[str], lab: "Lab") -> _Part:
    stands = "coalesce(status, '') <> 'cancelled'" if "status" in has else "1 = 1"
    rule = lab.definitions
    return _Part(
        tables=("orders",),
        columns={
            "orders": "coalesce(b.orders, 0)",
            "spent": "coalesce(b.spent, 0)",
            "lifecycle": _LIFECYCLE,
        },
        ctes=(_BOUGHT.format(stands=stands),),
        joins=("left join bought as b on b.customer_id = c.customer_id",),
        outcomes={"orders per customer": "mean", "net amount per customer": lab.currency},
        values={
            "start": lab.cycle.start,
            "cutoff": lab.cycle.cutoff,
            "cooling_days": rule.cooling_days,
            "lapse_days": rule.lapse_days,
        },
    )


def _answers(lab: "Lab") -> _Part:
    return _Part(
        tables=("answers",),
        columns={
            "answers": "coalesce(a.answers, 0)",
            "satisfied": "coalesce(a.satisfied, 0)",
        },
        ctes=(_ANSWERED,),
        joins=("left join answered as a on a.customer_id = c.customer_id",),
        outcomes={"satisfied": "share"},
        values={"start": lab.cycle.start, "cutoff": lab.cycle.cutoff},
    )


def _levels(variable: str) -> str:
    return (
        f"{variable}_levels as (select name from (select {variable} as name, row_number() over "
        f"(order by count(*) desc, {variable}) as place from customers "
        f"where {variable} is not null group by {variable}) as ranked where place <= {LEVELS})"
    )


def _level_of(sets: Sequence[tuple[str, ...]], known: tuple[str, ...]) -> str:
    """Write which set of groups a row belongs to; no value of a variable is missing."""
    cases = []
    for names in sets:
        terms = [f"{v} is {'not null' if v in names else 'null'}" for v in known] or ["1 = 1"]
        cases.append(f"when {' and '.join(terms)} then '{','.join(names)}'")
    return f"case {' '.join(cases)} end"


def _sums_of(place: int, name: str) -> str:
    """Write the sums over customers of one outcome: observations n and their total y."""
    n, y = _OUTCOMES[name]
    wide = "cast(spent as decimal(19, 4))" if y == _MONEY else y
    there = {"customers": f"case when {n} > 0 then 1 else 0 end", "n": n, "total": y}
    products = {"n_n": f"{n} * {n}", "n_total": f"{n} * {y}", "total_total": f"{wide} * {y}"}
    return "".join(f", sum({sql}) as {c}_{place}" for c, sql in (there | products).items())
