"""A condition on one row, as people write it in settings: SQL, but no more than that."""

from collections.abc import Sequence

from cxlab.errors import ParameterError, did_you_mean

__all__ = ["row_condition"]


def row_condition(
    text: str, *, where: str, columns: Sequence[str] | None = None, of: str = "rows"
) -> str:
    """Read a condition as syntax: an expression over the columns of one row.

    Parameters
    ----------
    text : str
        SQL in DuckDB's dialect, such as `channel = 'web' and duration_s > 10`.
    where : str
        The place that a message names.
    columns : sequence of str, optional
        Columns that it may name. Default: any, where the table is not known yet.
    of : str
        Whose columns these are, in a message.

    Returns
    -------
    str
        The condition in brackets, written anew from its syntax.

    Raises
    ------
    ParameterError
        If it cannot be read, looks beyond its row, or names an unknown column.

    Examples
    --------
    >>> row_condition("age<30", where="segments.young", columns=["age"])
    '(age < 30)'
    """
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(str(text), read="duckdb", into=exp.Condition)
    except sqlglot.errors.SqlglotError as error:
        raise ParameterError(
            f"The condition of {where} must be SQL, but {text!r} cannot be read: "
            f"{str(error).splitlines()[0]}"
        ) from error
    refused = (exp.Query, exp.Subquery, exp.AggFunc, exp.Window, exp.Placeholder, exp.Parameter)
    if bad := next(tree.find_all(*refused, exp.Star, exp.Command), None):
        raise ParameterError(
            f"The condition of {where} must look at one row's columns only, but has "
            f"{bad.sql('duckdb')!r}."
        )
    for column in tree.find_all(exp.Column):
        unknown = columns is not None and column.name not in columns
        if unknown or column.table:
            known = list(columns or ())
            raise ParameterError(
                f"The condition of {where} names {column.sql('duckdb')!r}, but the {of} have "
                f"{known}.{did_you_mean(column.name, known)}"
            )
    return f"({tree.sql('duckdb')})"
