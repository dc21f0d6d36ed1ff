"""A condition on one row, as people write it in settings: SQL, but no more than that."""

from collections.abc import Sequence

from cxlab.errors import ParameterError, did_you_mean

__all__ = ["pinned", "row_condition"]


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


def pinned(text: str | None) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Read which values a condition asks of a column, and which it does not let pass.

    Examples
    --------
    >>> pinned("stage = 'buy' and activity not in ('seen') and n > 1")
    ({'stage': 'buy'}, {'activity': {'seen'}})
    >>> pinned("stage = 'buy' or channel = 'web'")
    ({}, {})
    """
    import sqlglot
    from sqlglot import exp

    asked: dict[str, str] = {}
    barred: dict[str, set[str]] = {}
    if text is None:
        return asked, barred
    tree = sqlglot.parse_one(text, read="duckdb", into=exp.Condition).unnest()
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        one = part.unnest()
        is_barred = isinstance(one, exp.Not | exp.NEQ)
        test = one.this.unnest() if isinstance(one, exp.Not) else one
        values = test.expressions if isinstance(test, exp.In) else [test.args.get("expression")]
        plain = all(isinstance(v, exp.Literal) and v.is_string for v in values)
        known = isinstance(test, exp.EQ | exp.NEQ | exp.In) and isinstance(test.this, exp.Column)
        if not (known and plain) or (isinstance(one, exp.Not) and isinstance(test, exp.NEQ)):
            continue
        texts = {str(value.this) for value in values if value is not None}
        if is_barred:
            barred.setdefault(test.this.name, set()).update(texts)
        elif len(texts) == 1:
            asked[test.this.name] = texts.pop()
    return asked, barred
