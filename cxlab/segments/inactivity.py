"""In which state does a rule of inactivity put each customer?

One state per customer and day, by a declared rule of inactivity. On a day D of a cycle,
with purchase days before D only, the first that fits counts:

1. no purchase yet
2. lapsed: the last purchase is more than `lapse_days` ago
3. new: the first purchase was in this cycle
4. returned: a purchase in this cycle ended a lapse
5. active: the last purchase is at most `cooling_days` ago
6. cooling: it is longer ago, yet not lapsed

With product lines, each line has a rule of its own, and a customer is as lively as their
liveliest line.
"""

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, view
from cxlab.errors import ParameterError
from cxlab.segments.purchases import customer_days, known_customers

__all__ = ["OUTSIDE", "STATES", "Rules", "check_rules", "states_at"]

STATES = ("new", "active", "cooling", "lapsed", "returned", "no purchase yet")
OUTSIDE = "not yet a customer"

Rules: TypeAlias = dict[str | None, tuple[int, int]]  # line: cooling_days, lapse_days


def check_rules(
    cooling_days: int,
    lapse_days: int,
    rules: Mapping[str, Mapping[str, int]] | None,
    line: str | None,
) -> Rules:
    """Read the days of each rule; None stands for every line without one of its own.

    Raises
    ------
    ParameterError
        If days do not rise from 0 over cooling to lapsing.
    """
    if (rules is None) != (line is None):
        raise ParameterError("`rules` by product line and the column `line` go together.")
    given: Rules = {None: (cooling_days, lapse_days)}
    for name, rule in (rules or {}).items():
        if set(rule) != {"cooling_days", "lapse_days"}:
            raise ParameterError(
                f"The rule of line {name!r} needs cooling_days and lapse_days, but has "
                f"{sorted(rule)}."
            )
        given[name] = (rule["cooling_days"], rule["lapse_days"])
    for line_name, (cooling, lapse) in given.items():
        if not 0 < cooling < lapse:
            raise ParameterError(
                f"cooling_days must lie between 0 and lapse_days, but the rule of "
                f"{line_name or 'all lines'} has {cooling} and {lapse}."
            )
    return given


def states_at(
    orders: Table,
    customers: Table,
    cycle: Cycle,
    given: Rules,
    line: str | None,
) -> Table:
    """State of every customer known at a cycle's cutoff: customer_id, state."""
    days = customer_days(orders, at=cycle.cutoff, line=line)
    lines = {f"line_{i}": name for i, name in enumerate(given) if name is not None}
    cooling, lapse = (_by_line(given, lines, part) for part in (0, 1))
    return view(
        f"""
        with bought as (
            select customer_id, date_diff('day', date '1970-01-01', placed_on) as day_no,
                max({cooling}) as cooling_days, max({lapse}) as lapse_days
            from days where net_amount > 0 group by customer_id, placed_on
        ),
        chained as (
            select customer_id, day_no, day_no + cooling_days as active_until,
                day_no + lapse_days as alive_until,
                max(day_no + lapse_days) over (
                    partition by customer_id order by day_no
                    rows between unbounded preceding and 1 preceding
                ) as was_alive_until
            from bought
        ),
        summed as (
            select customer_id, min(day_no) as first_day,
                max(active_until) as active_until, max(alive_until) as alive_until,
                max(case when day_no >= $first and day_no > was_alive_until
                    then 1 else 0 end) as came_back
            from chained group by customer_id
        )
        select known.customer_id,
            case when s.first_day is null then 'no purchase yet'
                when $day > s.alive_until then 'lapsed'
                when s.first_day >= $first then 'new'
                when s.came_back = 1 then 'returned'
                when $day <= s.active_until then 'active'
                else 'cooling' end as state
        from known left join summed as s on known.customer_id = s.customer_id
        """,
        days=days,
        known=known_customers(customers, days, at=cycle.cutoff),
        first=_day_number(cycle.first_day),
        day=_day_number(cycle.next.first_day),
        **lines,
    )


def _by_line(given: Rules, lines: Mapping[str, str], part: int) -> str:
    """Write the days of a rule as SQL, by product line where there are some."""
    cases = " ".join(f"when line = ${key} then {given[name][part]}" for key, name in lines.items())
    return f"case {cases} else {given[None][part]} end" if cases else str(given[None][part])


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days
