"""The SQL that every engine answers alike: read once, bound as syntax, written in a dialect.

A question is one SELECT in DuckDB's dialect. Tables and values enter the parsed
tree as nodes, never as text, so a quote in a value stays data. What would give
other numbers on another engine is rewritten where that is safe, and refused
where it is not; docs/decisions/0002-one-query-two-engines.md has the list.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import sqlglot
from sqlglot import exp

from cxlab.errors import ParameterError, did_you_mean

__all__ = ["compile_query", "parse_select"]

# Writing, lambdas, and functions whose answer depends on the engine or on chance.
_REFUSED: tuple[type[exp.Expression], ...] = (
    exp.Lambda,
    exp.PercentileCont,
    exp.PercentileDisc,
    exp.Quantile,
    exp.Median,
    exp.AnyValue,
    exp.First,
    exp.Last,
    exp.Rand,
    exp.CurrentTimestamp,
    exp.CurrentDate,
    exp.ReadCSV,
    exp.Anonymous,
)


def parse_select(sql: str, *, where: str = "The query") -> exp.Query:
    """Parse one SELECT and nothing else.

    Raises
    ------
    ParameterError
        If the text is not SQL, holds several statements, or does not only read.
    """
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise ParameterError(f"{where} must be SQL in DuckDB's dialect: {_short(error)}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        kinds = ", ".join(tree.key.upper() for tree in trees) or "nothing"
        raise ParameterError(f"{where} must be one SELECT, but holds {kinds}.")
    tree = trees[0]
    writing = (exp.DML, exp.DDL, exp.Command, exp.Into)
    bad = next(
        (n for n in tree.walk() if isinstance(n, writing) and not isinstance(n, exp.Query)), None
    )
    if bad is not None:
        raise ParameterError(f"{where} must only read, but holds {bad.key.upper()}.")
    return tree


def compile_query(
    sql: str,
    *,
    tables: Mapping[str, str],
    params: Mapping[str, Any],
    dialect: str,
    ordered: bool = True,
    limit: int | None = None,
) -> str:
    """Bind a question and write it in an engine's dialect.

    Parameters
    ----------
    sql : str
        One SELECT in the portable subset of DuckDB's dialect.
    tables : mapping of str to str
        Name in the SQL to name in the engine; each must be used.
    params : mapping of str to value
        Values of `$name`; each must be used.
    dialect : str
        sqlglot's name of the engine's dialect.
    ordered : bool
        Refuse an answer of several rows without ORDER BY.
    limit : int, optional
        Most rows to ask for.

    Raises
    ------
    ParameterError
        If something is outside the subset, unknown, or unused.
    """
    tree = parse_select(sql)
    for node in tree.walk():
        if isinstance(node, _REFUSED):
            raise ParameterError(
                f"A query must stay in the subset that every engine answers alike, but has "
                f"{node.sql('duckdb')[:80]!r}. Compute it from counts instead."
            )
    _check_names(tree, tables, params)
    if ordered and not tree.args.get("order") and not _one_row(tree):
        raise ParameterError("A query of several rows must end with ORDER BY its key.")
    tree = tree.transform(_binder(tables, params)).transform(_alike)
    if limit is not None and not tree.args.get("limit"):
        tree = cast(exp.Query, tree).limit(limit)
    return tree.sql(dialect)


def _check_names(tree: exp.Query, tables: Mapping[str, str], params: Mapping[str, Any]) -> None:
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    if both := sorted(ctes & set(tables)):
        raise ParameterError(f"A WITH name must differ from the tables, but {both} is both.")
    named = {t.name for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier)}
    for kind, used, given in (
        ("table", named - ctes, set(tables)),
        ("value", {p.name for p in tree.find_all(exp.Placeholder, exp.Parameter)}, set(params)),
    ):
        if missing := sorted(used - given):
            hint = did_you_mean(missing[0], given)
            raise ParameterError(
                f"The query names {kind} {missing}, but got {sorted(given)}.{hint}"
            )
        if unused := sorted(given - used):
            raise ParameterError(f"The query got {kind} {unused}, but names only {sorted(used)}.")


def _one_row(tree: exp.Query) -> bool:
    """Tell whether a SELECT aggregates everything into one row."""
    return (
        isinstance(tree, exp.Select)
        and not tree.args.get("group")
        and all(e.find(exp.AggFunc) and not e.find(exp.Window) for e in tree.expressions)
    )


def _binder(tables: Mapping[str, str], params: Mapping[str, Any]) -> Callable[[Any], Any]:
    def bind(node: Any) -> Any:
        if isinstance(node, exp.Placeholder | exp.Parameter):
            return exp.convert(params[node.name])
        if isinstance(node, exp.Table) and node.name in tables:
            bound = exp.to_table(tables[node.name], dialect="duckdb")
            bound.set(
                "alias", node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
            )
            bound.set("joins", node.args.get("joins"))
            return bound
        return node

    return bind


def _alike(node: Any) -> Any:
    """Rewrite what engines compute differently into what they compute alike."""
    if isinstance(node, exp.Avg) and not isinstance(node.this, exp.Cast):
        # Spark rounds the mean of a DECIMAL to a few digits.
        return exp.Avg(this=_cast(node.this, "DOUBLE"))
    if isinstance(node, exp.Div) and not isinstance(node.this, exp.Cast):
        divisor = node.expression
        if not isinstance(divisor.unnest(), exp.Nullif | exp.Literal):
            raise ParameterError(
                f"A division must guard its divisor with nullif, but has {node.sql('duckdb')!r}."
            )
        return exp.Div(this=_cast(node.this, "DOUBLE"), expression=divisor)
    if isinstance(node, exp.DateDiff):
        unit = node.text("unit").lower()
        if unit not in ("day", "days", ""):
            raise ParameterError(f"date_diff must count days, but counts {unit!r}.")
        if not isinstance(node.this, exp.Cast):
            # DuckDB counts midnights, Spark full 24 hours: whole days agree.
            return exp.DateDiff(
                this=_cast(node.this, "DATE"),
                expression=_cast(node.expression, "DATE"),
                unit=exp.var("DAY"),
            )
    return node


def _cast(node: exp.Expression, kind: str) -> exp.Cast:
    return exp.cast(node.copy(), kind, dialect="duckdb")


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
