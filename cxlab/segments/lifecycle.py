"""Where is each customer on the way from first purchase to gone?

States at the start and at the end of a cycle, and the flows between; the opening
states are the closing ones of the cycle before. The rule is in `inactivity.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query
from cxlab.errors import DataError, Withheld
from cxlab.report import words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result
from cxlab.segments.inactivity import OUTSIDE, STATES, check_rules, states_at
from cxlab.segments.rows import counted, protect_moves, worth_drawing
from cxlab.segments.rules import rules_hash

__all__ = ["LifecycleStates", "StateFlows", "states"]

# From where each state can be reached within one cycle; all other flows are empty by
# definition, and saying so gives nobody away.
_FIRST = ("no purchase yet", OUTSIDE)
_ORDER = list(dict.fromkeys((OUTSIDE, "no purchase yet", *STATES)))  # the way customers take
_LIVELY = ("new", "active", "cooling", "returned")
_SOURCES = {
    "new": _FIRST,
    "active": _LIVELY,
    "cooling": _LIVELY,
    "lapsed": (*STATES, OUTSIDE),
    "returned": (*STATES, OUTSIDE),
    "no purchase yet": _FIRST,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class StateFlows(Result):
    """How many customers went from which state to which within the cycle."""

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells, and what would give them away."""
        axes, outside = ("from_state", "to_state"), frozenset({OUTSIDE})
        return replace(
            self, estimates=protect_moves(self.estimates, rules, axes=axes, outside=outside)
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the counts as a matrix, from row to column."""
        from cxlab.report import charts

        cells = worth_drawing(self.estimates, "from_state", "to_state")
        # By first appearance the columns would follow what the first row can reach.
        cells = cells.assign(to_state=pd.Categorical(cells["to_state"], _ORDER))
        return charts.heatmap(cells, row="from_state", column="to_state", unit="count", ax=ax)

    def sentence(self) -> str:
        """Name the largest flow between two different states."""
        moved = self.estimates[self.estimates["from_state"] != self.estimates["to_state"]]
        moved = moved[moved["from_state"] != OUTSIDE].dropna(subset="estimate")
        if moved.empty or not moved["estimate"].max() > 0:
            return "No flow between two states is large enough to be shown."
        top = moved.sort_values("estimate", kind="stable").iloc[-1]
        return (
            f"The largest flow is from {top['from_state']} to {top['to_state']}: "
            f"{words.plural(top['estimate'], 'customer')}."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LifecycleStates(Result):
    """Customers by state at the cutoff, beside the start of the cycle.

    Attributes
    ----------
    flows : StateFlows
        What lies between the two: opening + in - out = closing, checked.
    members : Table
        customer_id, state at the cutoff: fit for `by=` in any room.
    rules_hash : str
        Which rules made them.
    """

    flows: StateFlows = field(repr=False)
    members: Table = field(repr=False)
    rules_hash: str

    def table(self) -> pd.DataFrame:
        """Opening and closing count, one row per state."""
        closing = self.estimates[self.estimates["cycle"].isna()].set_index("state")
        opening = self.estimates[self.estimates["cycle"].notna()].set_index("state")
        return pd.DataFrame(
            {
                "state": closing.index,
                "opening": opening["estimate"].reindex(closing.index).to_numpy(),
                "closing": closing["estimate"].to_numpy(),
                "suppressed": closing["suppressed"].to_numpy(),
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw opening against closing by state."""
        from cxlab.report import charts

        return charts.paired(
            self.table(), label="state", before="opening", now="closing", unit="count", ax=ax
        )

    def sentence(self) -> str:
        """Say how many are still customers in the sense of the rule, and how many lapsed."""
        closing = self.table().set_index("state")["closing"]
        known = [
            f"{words.number(closing[state])} {state}"
            for state in ("new", "active", "returned", "cooling", "lapsed")
            if pd.notna(closing[state])
        ]
        if not known:
            return "Every lifecycle state is too small to be shown."
        return f"At the end of the cycle, customers are {words.listing(known)}."


def states(
    orders: TableLike,
    customers: TableLike,
    *,
    cycle: Cycle,
    cooling_days: int,
    lapse_days: int,
    rules: Mapping[str, Mapping[str, int]] | None = None,
    line: str | None = None,
) -> LifecycleStates:
    """Put every customer known at the cutoff into one lifecycle state.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and where known `placed_on`, `status`.
    customers : table
        `customer_id`, and where known `first_seen_at`.
    cycle : Cycle
        States are those at its cutoff, beside those at its start.
    cooling_days, lapse_days : int
        A purchase keeps its customer active for the one and from lapsing for the other. Without
        a contract nobody says that they leave: who has not been silent for longer than
        `lapse_days` never counts as lapsed, and who lapsed may return.
    rules : mapping, optional
        Product line to its own `{"cooling_days": ..., "lapse_days": ...}`.
    line : str, optional
        The column of `orders` that names the product line; needed with `rules`.

    Returns
    -------
    LifecycleStates
        Complete counts by state; `flows` holds the way between.

    Raises
    ------
    ParameterError
        If a rule's days do not rise from 0 over cooling to lapsing.
    DataError
        If opening + in - out is not closing for a state.
    Withheld
        If nobody had bought before the cutoff.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "net_amount": [20.0, 30.0],
    ...     "placed_at": pd.to_datetime(["2017-08-05", "2018-03-01"])})
    >>> found = states(orders, orders[["customer_id"]], cycle=parse_cycle("2018Q1"),
    ...                cooling_days=90, lapse_days=180)
    >>> found.sentence()
    'At the end of the cycle, customers are 1 new, 0 active, 0 returned, 0 cooling and 1 lapsed.'
    """
    given = check_rules(cooling_days, lapse_days, rules, line)
    orders_, customers_ = in_one_engine(orders, customers)
    now = keep(states_at(orders_, customers_, cycle, given, line))
    before = keep(states_at(orders_, customers_, cycle.previous, given, line))
    opening, flows, closing = _counts(before, now)
    if not sum(closing.values()) - closing["no purchase yet"]:
        raise Withheld(f"Lifecycle states need purchases, but none lies before {cycle.cutoff}.")
    _check_balance(opening, flows, closing)
    stamp = rules_hash({"cooling": cooling_days, "lapse": lapse_days, "rules": rules})
    rule = f"active up to {cooling_days} days after a purchase, lapsed after {lapse_days}"
    own = f"; own rules for {words.listing(sorted(rules))}" if rules else ""
    note = f"One state per customer: {rule}{own}. Rules {stamp}. Opening + in − out = closing."
    return LifecycleStates(
        estimates=_estimates(opening, closing, cycle),
        subtitle=f"Customers by lifecycle state at the start and at the end of {cycle.name}.",
        note=note,
        flows=StateFlows(
            estimates=_flow_estimates(flows, sum(closing.values())),
            subtitle=f"Customers by state at the start (rows) and at the end of {cycle.name}.",
            note=note,
        ),
        members=now,
        rules_hash=stamp,
    )


def _counts(
    before: Table, now: Table
) -> tuple[dict[str, int], dict[tuple[str, str], int], dict[str, int]]:
    """Count opening, flows and closing, each from its own rows."""
    found = query(
        """
        with b as (select customer_id, state from before),
        n as (select customer_id, state from now)
        select 'opening' as kind, state as from_state, state as to_state, count(*) as n
        from b group by state
        union all
        select 'closing', state, state, count(*) from n group by state
        union all
        select 'flow', coalesce(b.state, $outside), n.state, count(*)
        from n left join b on n.customer_id = b.customer_id
        group by coalesce(b.state, $outside), n.state
        order by kind, from_state, to_state
        """,
        before=before,
        now=now,
        outside=OUTSIDE,
    )
    counts: dict[str, dict[tuple[str, str], int]] = {"opening": {}, "closing": {}, "flow": {}}
    for kind, f, t, n in found.itertuples(index=False):
        counts[kind][f, t] = int(n)
    opening, closing = (
        {state: counts[kind].get((state, state), 0) for state in STATES}
        for kind in ("opening", "closing")
    )
    possible = {(f, t): 0 for f in (*STATES, OUTSIDE) for t in STATES if f in _SOURCES[t]}
    return opening, possible | counts["flow"], closing


def _check_balance(
    opening: Mapping[str, int], flows: Mapping[tuple[str, str], int], closing: Mapping[str, int]
) -> None:
    """Hold the three independent counts against each other."""
    for state in STATES:
        came = sum(n for (f, t), n in flows.items() if t == state != f)
        went = sum(n for (f, t), n in flows.items() if f == state != t)
        if opening[state] + came - went != closing[state]:
            raise DataError(
                f"Opening + in - out must be closing, but for state {state!r} "
                f"{opening[state]} + {came} - {went} is not {closing[state]}. "
                "Look for missing or repeated customer_id."
            )


def _estimates(
    opening: Mapping[str, int], closing: Mapping[str, int], cycle: Cycle
) -> pd.DataFrame:
    rows = []
    for counts, name in ((closing, None), (opening, cycle.previous.name)):
        everybody = sum(counts.values())
        rows += [
            counted("customers.state_count", counts[state], n=everybody, state=state, cycle=name)
            for state in STATES
        ]
    return pd.DataFrame(rows)


def _flow_estimates(flows: Mapping[tuple[str, str], int], everybody: int) -> pd.DataFrame:
    rows = sorted(flows.items(), key=lambda cell: [_ORDER.index(state) for state in cell[0]])
    return pd.DataFrame(
        [
            counted("customers.state_flow", n, n=everybody, from_state=f, to_state=t)
            for (f, t), n in rows
        ]
    )
