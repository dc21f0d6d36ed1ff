"""What is known about each customer that people may be grouped by?"""

from cxlab.data.engine import Table, TableLike, query, view
from cxlab.errors import Withheld

__all__ = ["attribute"]


def attribute(customers: TableLike, name: str) -> Table:
    """Return each customer's value of one attribute, fit for `by=` in any room.

    Parameters
    ----------
    customers : table
        `customer_id` and, where the study has it, the attribute.
    name : str
        Its column, such as region.

    Returns
    -------
    Table
        customer_id and the attribute.

    Raises
    ------
    Withheld
        If the study does not know the attribute of any customer.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"customer_id": ["a"], "region": ["SP"], "age": [40]})
    >>> attribute(people, "region").columns
    ('customer_id', 'region')
    """
    table = view("select * from c", c=customers).need("customer_id")
    known = 0
    if name in table.columns:
        known = int(query(f'select count("{name}") as n from c', c=table)["n"][0])
    if not known:
        raise Withheld(f"The study's customers have no {name.replace('_', ' ')}: it is not mapped.")
    return table[["customer_id", name]]
