"""What the record of consents says, and what may be counted over all customers.

A customer's word counts as it was last given and known at a moment. Where two were
given at once, the one that does not allow counts.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlglot import exp

from cxlab.data.engine import Table, query, view
from cxlab.data.portable import parse_select
from cxlab.errors import ParameterError, Withheld

if TYPE_CHECKING:
    from cxlab.data.lab import Lab

__all__ = ["last_word", "over_everybody"]


def last_word(consents: Table, *, at: datetime, purpose: str | None = None) -> Table:
    """Keep what each customer had last said about each purpose, as known at a moment.

    Parameters
    ----------
    consents : Table
        `customer_id`, `purpose`, `valid_from` and, where the study has them, `status`
        and `loaded_at`.
    at : datetime.datetime
        Only what was valid and known before counts.
    purpose : str, optional
        Only this one. Default: all.

    Returns
    -------
    Table
        customer_id, purpose and status: granted, denied, withdrawn or unclear; one row
        per customer and purpose.
    """
    status, known = (
        column if column in consents.columns else other
        for column, other in (("status", "'unclear'"), ("loaded_at", "valid_from"))
    )
    return view(
        f"""
        with told as (
            select customer_id, purpose, valid_from,
                case when {status} in ('granted', 'denied', 'withdrawn') then {status}
                    else 'unclear' end as status
            from c
            where valid_from < $at and coalesce({known}, valid_from) < $at
                and ($purpose = '' or purpose = $purpose)
        ),
        placed as (
            select customer_id, purpose, status, row_number() over (
                partition by customer_id, purpose
                order by valid_from desc, case status when 'withdrawn' then 1
                    when 'denied' then 2 when 'unclear' then 3 else 4 end
            ) as place
            from told
        )
        select customer_id, purpose, status from placed where place = 1
        """,
        c=consents,
        at=at,
        purpose=purpose or "",
    )


def over_everybody(lab: "Lab", sql: str, /, *tables: str, **values: Any) -> pd.DataFrame:
    """Ask for counts and sums over all customers, whatever they allow.

    This is for telling who is left out, and for nothing else.

    Parameters
    ----------
    lab : Lab
        The study.
    sql : str
        One SELECT of aggregates in the portable subset; no row of a person.
    *tables : str
        The tables it names. `words` is what each customer says to the lab's purpose:
        customer_id and status; `words_then` and `words_now` are what was said to each
        purpose at the cycle's start and end: customer_id, purpose and status.
    **values : value
        The values of its `$name`.

    Returns
    -------
    pandas.DataFrame
        The answer.

    Raises
    ------
    Withheld
        If the study does not allow it, or a table is missing.
    ParameterError
        If the SELECT is no aggregate, or gives ids.
    """
    rules = lab.settings.consent
    if not rules.aggregates_without_consent:
        raise Withheld(
            "The study allows no counts over customers who have not consented "
            "(consent.aggregates_without_consent in study.yaml is false), so nobody can tell how "
            "far those who have differ from all."
        )
    tree = parse_select(sql)
    ids = _ids(tree)
    if ids or not _counts(tree):
        raise ParameterError(
            f"A question about all customers must be one of counts and sums, but gives "
            f"{ids or 'rows'}. Group it, and by no id."
        )
    named: dict[str, Any] = {name: _table(lab, name) for name in tables}
    return query(sql, **named, **values)


def _table(lab: "Lab", name: str) -> Table:
    if name == "words":
        return lab.gate._words
    if name in ("words_then", "words_now"):
        return lab.gate._words_at(lab.cycle.start if name == "words_then" else lab.cycle.cutoff)
    return lab._everybody(name)


def _counts(tree: exp.Query) -> bool:
    """Tell whether a SELECT gives counts and sums only."""
    if isinstance(tree, exp.SetOperation):
        return _counts(tree.left) and _counts(tree.right)
    if any(e.find(exp.Window) for e in tree.expressions):
        return False  # a sum over a window stands in every row
    return bool(tree.args.get("group")) or all(e.find(exp.AggFunc) for e in tree.expressions)


def _ids(tree: exp.Query) -> list[str]:
    """List the ids that a SELECT gives or groups by, whatever it calls them; counts are none."""
    if isinstance(tree, exp.SetOperation):
        return [*_ids(tree.left), *_ids(tree.right)]
    group = tree.args.get("group")
    found = [
        column.name
        for part in (*tree.expressions, *([group] if group else []))
        for column in part.find_all(exp.Column)
        if column.name.lower().endswith("_id") and not column.find_ancestor(exp.Count)
    ]
    return list(dict.fromkeys([*(n for n in tree.named_selects if n.endswith("_id")), *found]))
