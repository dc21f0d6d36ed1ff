"""Whose is a row? What the contracts say about the people behind each table."""

from collections.abc import Mapping, Sequence

from cxlab.data.model import contracts
from cxlab.errors import Withheld

__all__ = ["NOBODY", "OTHERS", "PERHAPS", "people_of"]

# Tables that say nothing about a person, unless a study adds a column that does.
NOBODY = frozenset({"campaigns", "costs", "initiative_costs", "margins", "shifts", "stock_events"})
# Somebody else whom a row names: the row stays, the name goes.
OTHERS = ("referred_by", "referred_id")
# A unit may be a customer or a shop; an event of stock may be about an order or about none.
PERHAPS = {("exposures", "unit_id"): "customers", ("stock_events", "order_id"): "orders"}


def people_of(name: str, columns: Mapping[str, Sequence[str]]) -> tuple[list[str], dict[str, str]]:
    """Tell whose a table's rows are.

    Parameters
    ----------
    name : str
        The table.
    columns : mapping of str to sequence of str
        The tables that the study has, and their columns.

    Returns
    -------
    list of str
        Columns that name the customer.
    dict of str to str
        Columns that name a row of another table, and that table.

    Raises
    ------
    Withheld
        If nobody can tell.

    Examples
    --------
    >>> people_of("usage", {"usage": ["subscription_id"], "subscriptions": ["customer_id"]})
    ([], {'subscription_id': 'subscriptions'})
    """
    here = set(columns[name])
    known = [c for c in contracts()[name].columns if c.references and c.name in here]
    people = {c.name: None for c in known if c.references == "customers"}
    if "customer_id" in here:
        people["customer_id"] = None
    rows_of = {
        c.name: c.references
        for c in known
        if c.references and c.references != "customers" and c.references in columns
    }
    perhaps = any(table == name for table, _ in PERHAPS)
    if not people and not rows_of and name not in NOBODY and not perhaps:
        raise Withheld(
            f"Nobody can tell whose the rows of {name!r} are, so none is shown: map the table that "
            "they belong to as well."
        )
    return list(people), rows_of
