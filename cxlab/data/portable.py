"""The SQL that every engine answers alike: read once, bound as syntax, written in a dialect.

A question is one SELECT in DuckDB's dialect. Tables and values enter the parsed
tree as nodes, never as text, so a quote in a value stays data. What would give
other numbers on another engine is rewritten where that is safe, and refused
where it is not; docs/decisions/0002-one-query-two-engines.md has the list.
"""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

from cxlab.errors import ParameterError, did_you_mean

__all__ = ["compile_query", "parse_select"]

# Lambdas, files, and functions whose answer depends on the engine, on the order in which
# rows happen to come, on the clock or on chance. (Spark loses the order inside `list`, and
# sorts before it filters a QUALIFY.)
_REFUSED: tuple[type[Any], ...] = (
    exp.Anonymous,
    exp.AnyValue,
    exp.ApproxDistinct,
    exp.ArgMax,
    exp.ArgMin,
    exp.ArrayAgg,
    exp.Columns,
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.CurrentVersion,
    exp.Explode,
    exp.First,
    exp.GenerateSeries,
    exp.GroupConcat,
    exp.Lambda,
    exp.Last,
    exp.Lateral,
    exp.Localtimestamp,
    exp.Median,
    exp.Mode,
    exp.PercentileCont,
    exp.PercentileDisc,
    exp.Pivot,
    exp.Qualify,
    exp.Quantile,
    exp.Rand,
    exp.ReadCSV,
    exp.ReadParquet,
    exp.TableSample,
    exp.Unnest,
    exp.Uuid,
)
_WHOLE = (exp.DataType.Type.INT, exp.DataType.Type.BIGINT, exp.DataType.Type.SMALLINT)


def parse_select(sql: str, *, where: str = "The query") -> exp.Query:
    """Parse one SELECT and nothing else.

    Raises
    ------
    ParameterError
        If the text is not SQL, holds several statements, or does not only read.
    """
    try:
        parsed = sqlglot.parse(sql, read="duckdb")
        trees = [t for t in parsed if t is not None and not isinstance(t, exp.Semicolon)]
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
    _check_subset(tree)
    _check_names(tree, tables, params)
    if ordered and not tree.args.get("order") and not _one_row(tree):
        raise ParameterError("A query of several rows must end with ORDER BY its key.")
    # Every node, children first: a division inside a mean is a division too.
    for node in reversed(list(tree.walk())):
        _alike(node)
        if _is_moment(node) and dialect != "duckdb":
            at = exp.cast(node.expressions[0].copy(), exp.DataType.Type.TIMESTAMPTZ)
            node.replace(exp.UnixMicros(this=at))
    for node in list(tree.walk()):
        _bind(node, tables, params)
    if limit is not None:
        _limit(tree, limit)
    return tree.sql(dialect, copy=False)


def _check_subset(tree: exp.Query) -> None:
    for node in tree.walk():
        asof = isinstance(node, exp.Join) and node.args.get("method")
        zoned = isinstance(node, exp.DataType) and node.this == exp.DataType.Type.TIMESTAMPTZ
        refused = isinstance(node, _REFUSED) and not _is_moment(node)
        if refused or asof or zoned or _is_chance(node):
            raise ParameterError(
                f"A query must stay in the subset that every engine answers alike, but has "
                f"{node.sql('duckdb')[:80]!r}. Compute it from counts instead."
            )


def _is_moment(node: Any) -> bool:
    """Tell whether a node is `epoch_us(...)`: a moment as whole microseconds since 1970."""
    return isinstance(node, exp.Anonymous) and node.name.lower() == "epoch_us"


def _is_chance(node: Any) -> bool:
    """Tell whether a node's answer hangs on the order of rows, or on how an engine rounds."""
    if isinstance(node, exp.Window):
        ranks = exp.RowNumber | exp.Lag | exp.Lead | exp.Ntile | exp.FirstValue | exp.LastValue
        return isinstance(node.this, ranks) and not node.args.get("order")
    if isinstance(node, exp.Cast) and node.to.this in _WHOLE:
        # DuckDB rounds to a whole number, Spark cuts: say floor() or round().
        inner = node.this.unnest()
        return isinstance(inner, exp.Div | exp.Avg) or (
            isinstance(inner, exp.Literal) and not inner.is_int
        )
    return False


def _check_names(tree: exp.Query, tables: Mapping[str, str], params: Mapping[str, Any]) -> None:
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    if both := sorted(ctes & set(tables)):
        raise ParameterError(f"A WITH name must differ from the tables, but {both} is both.")
    named = {
        t.name if not t.db else t.sql("duckdb")
        for t in tree.find_all(exp.Table)
        if isinstance(t.this, exp.Identifier)
    }
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


def _bind(node: Any, tables: Mapping[str, str], params: Mapping[str, Any]) -> None:
    """Put a value or the engine's table in the place of its name."""
    if isinstance(node, exp.Placeholder | exp.Parameter):
        node.replace(_value(node.name, params[node.name]))
    elif isinstance(node, exp.Table) and node.name in tables:
        if not node.args.get("alias"):
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name)))
        node.set("this", exp.to_identifier(tables[node.name]))


def _value(name: str, value: Any) -> Any:
    """Turn a value into syntax; only what every engine reads alike."""
    if hasattr(value, "item") and not isinstance(value, datetime):
        value = value.item()  # numpy's scalars
    zoned = isinstance(value, datetime) and value.tzinfo is not None
    known = value is None or isinstance(value, str | bool | int | float | Decimal | date)
    missing = isinstance(value, float | Decimal) and not math.isfinite(value)
    if not known or zoned or missing or value != value:  # noqa: PLR0124  (NaT, too)
        raise ParameterError(
            f"The value ${name} must be text, a finite number, true or false, a day or a moment in "
            f"UTC without a zone, but is {value!r} ({type(value).__name__}). Convert it."
        )
    return exp.convert(value)


def _alike(node: Any) -> None:
    """Rewrite what engines compute differently into what they compute alike."""
    if isinstance(node, exp.Avg):
        # Spark rounds the mean of a DECIMAL to a few digits.
        inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
        inner.replace(_cast(inner, "DOUBLE"))
    elif isinstance(node, exp.Div | exp.IntDiv | exp.Mod):
        if not _is_guarded(node.expression):
            raise ParameterError(
                f"A division must guard its divisor with nullif, but has {node.sql('duckdb')!r}."
            )
        if isinstance(node, exp.Div):
            node.set("this", _cast(node.this, "DOUBLE"))
    elif isinstance(node, exp.DateDiff):
        unit = node.text("unit").lower()
        if unit not in ("day", "days", ""):
            raise ParameterError(f"date_diff must count days, but counts {unit!r}.")
        # DuckDB counts midnights, Spark full 24 hours: whole days agree.
        node.set("this", _cast(node.this, "DATE"))
        node.set("expression", _cast(node.expression, "DATE"))
        node.set("unit", exp.var("DAY"))


def _is_guarded(divisor: exp.Expression) -> bool:
    """Tell whether a divisor cannot be zero: on zero, engines differ or stop."""
    while isinstance(divisor, exp.Paren | exp.Cast):
        divisor = divisor.this
    if isinstance(divisor, exp.Literal):
        return not divisor.is_string and float(divisor.this) != 0
    return isinstance(divisor, exp.Nullif)


def _limit(tree: exp.Query, limit: int) -> None:
    own = tree.args.get("limit")
    asked = own.expression if own is not None else None
    if not (isinstance(asked, exp.Literal) and asked.is_int and int(asked.this) <= limit):
        tree.limit(limit, copy=False)


def _cast(node: exp.Expression, kind: str) -> exp.Cast:
    return exp.cast(node.copy(), kind, dialect="duckdb")


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
