"""Groups by the name that a study's settings give: a declared set of segments, or a column."""

from collections.abc import Mapping

from cxlab.data.engine import Table, TableLike
from cxlab.errors import ParameterError, did_you_mean
from cxlab.segments.attribute import attribute
from cxlab.segments.declared import declared

__all__ = ["grouping"]


def grouping(
    customers: TableLike, name: str | None, *, segments: Mapping[str, Mapping[str, str]]
) -> Table | None:
    """Return each customer's group, fit for `by=` and `persona=` in any room.

    Parameters
    ----------
    customers : table
        `customer_id`, and the columns that the segments' conditions name.
    name : str, optional
        A set of `segments`, or else a column of customers. None gives None: everybody is one.
    segments : mapping
        Name of a set to its rules.

    Returns
    -------
    Table or None
        customer_id and the group.

    Raises
    ------
    ParameterError
        If there is neither such a set nor such a column.
    Withheld
        If the study does not know the column's value of any customer.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "age": [20, 60]})
    >>> sets = {"age_group": {"young": "age < 30", "older": "age >= 30"}}
    >>> grouping(people, "age_group", segments=sets).columns
    ('customer_id', 'age_group')
    """
    if name is None:
        return None
    if name in segments:
        return declared(customers, name=name, rules=segments[name]).members
    columns = getattr(customers, "column_names", None) or list(customers.columns)
    if name not in columns:
        known = [*segments, *columns]
        raise ParameterError(
            f"A grouping must be a set of segments or a column of customers, but {name!r} is "
            f"neither.{did_you_mean(name, known)}"
        )
    return attribute(customers, name)
