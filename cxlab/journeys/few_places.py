"""Logs that tell more places apart than anybody could look at: the rarest are taken together."""

from cxlab.data.engine import Table, keep, query, view
from cxlab.errors import Withheld

__all__ = ["PLACES", "few_places"]

PLACES = 5_000  # more kinds of contact than that are no kinds
_KEPT = (100, 30, 10, 3)  # names of a column that stay, fewer as long as there are too many
_WORDS = ("activity", "stage", "touchpoint", "channel")


def few_places(contacts: Table) -> Table:
    """Take the rarest channels together, and then touchpoints, where there are too many places.

    Parameters
    ----------
    contacts : Table
        With `activity`, `stage`, `touchpoint` and `channel`.

    Returns
    -------
    Table
        The same rows, of at most 5,000 places.

    Raises
    ------
    Withheld
        If there are too many kinds of activity.
    """
    listed = ", ".join(_WORDS)
    kinds = keep(view(f"select {listed}, count(*) as n from c group by {listed}", c=contacts))
    if _size(kinds) <= PLACES:
        return contacts
    for column in ("channel", "touchpoint"):
        for most in _KEPT:
            found = _gathered(kinds, column, most)
            if _size(found) <= PLACES:
                break
        contacts, kinds = _gathered(contacts, column, most, by=kinds), found
        if _size(kinds) <= PLACES:
            return contacts
    many = query("select count(distinct activity) as n from k", k=kinds)["n"][0]
    raise Withheld(
        f"Journeys need kinds of contact that people can tell apart, but the log has {many:,} "
        "activities. Give those that are alike one name in tables/interactions.sql."
    )


def _size(kinds: Table) -> int:
    listed = ", ".join(_WORDS)
    sql = f"select count(*) as n from (select distinct {listed} from k) as d"
    return int(query(sql, k=kinds)["n"][0])


def _gathered(rows: Table, column: str, most: int, *, by: Table | None = None) -> Table:
    """Name the rarest values of a column alike."""
    names = query(
        f"select {column} as name, sum(n) as n from k group by {column} "
        f"order by n desc, name limit {most}",
        k=rows if by is None else by,
    )["name"]
    values = {f"name_{i}": name for i, name in enumerate(names)}
    kept = ", ".join(f"${key}" for key in values)
    shown = f"case when {column} in ({kept}) then {column} else 'other {column}s' end as {column}"
    listed = ", ".join(shown if c == column else f'"{c}"' for c in rows.columns)
    return view(f"select {listed} from r", r=rows, **values)
