"""Where the long tables lie, and the one way to ask them something.

`query` sends one SQL text to the engine that holds the tables and brings back a
short answer; `view` keeps the answer in the engine under a name; `frame` is the
one door through which rows themselves leave. DuckDB is the engine here, Spark
(`cxlab.data.spark`) the one on a cluster: same SQL, equal numbers.

A name never gets other rows, so what is asked again gets the name that it has: two parts of
a chapter that look at the same rows in the same way share them without knowing each other.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa

from cxlab.data.parquet import PARQUET
from cxlab.data.portable import compile_query
from cxlab.errors import DataError, MissingColumnError, ParameterError, did_you_mean

__all__ = [
    "DuckEngine",
    "Engine",
    "Table",
    "TableLike",
    "frame",
    "grouped",
    "in_one_engine",
    "keep",
    "query",
    "repeated",
    "view",
]

ANSWER_ROWS = 10_000  # an answer that is longer is not a sufficient statistic
_ASKED = 1_000  # answers that are remembered
_SHORT = 100_000  # rows of a frame that is recognised when it is given again


@dataclass(frozen=True)
class Table:
    """A name in an engine and its columns; the rows stay where they are."""

    engine: Engine
    name: str
    columns: tuple[str, ...]

    def __getitem__(self, columns: Sequence[str]) -> Table:
        """Return the same rows with fewer columns, as pandas does."""
        names = [columns] if isinstance(columns, str) else list(columns)
        for name in names:
            self.need(name)
        wanted = ", ".join(f'"{name}"' for name in names)
        return view(f"select {wanted} from t", t=self)

    def need(self, *columns: str) -> Table:
        """Check that the columns exist, and return the table itself.

        Raises
        ------
        MissingColumnError
            If one is missing.
        """
        for column in columns:
            if column not in self.columns:
                raise MissingColumnError(
                    f"The table has no column {column!r}, only {list(self.columns)}."
                    f"{did_you_mean(column, self.columns)}"
                )
        return self


TableLike: TypeAlias = Table | pd.DataFrame | pa.Table


class Engine(ABC):
    """What cxlab asks of a database: register, view, answer."""

    dialect: ClassVar[str]
    # Keys of several rows; an engine may know a quicker way to the same.
    _repeated: ClassVar[str] = 'select "{0}" from t group by "{0}" having count(*) > 1'

    def __init__(self) -> None:
        # Two engines may share one Spark session, and so may two processes.
        here = f"cx_{uuid.uuid4().hex[:12]}"
        self._names = (f"{here}_{i}" for i in itertools.count())
        self.longest_answer = 0  # rows; a test holds each room to it
        # Rows never change and a question always has the same answer, so nothing is done twice.
        self._known: dict[object, Table] = {}
        self._answers: dict[str, pa.Table] = {}

    def table(self, data: TableLike) -> Table:
        """Give a pandas or Arrow table a name here; an own table is returned as it is."""
        if isinstance(data, Table):
            if data.engine is not self:
                raise ParameterError("Tables of one question must lie in one engine.")
            return data
        arrow = _arrow(data)
        if arrow.num_rows > _SHORT:
            return self._named(arrow)
        contents = _contents(arrow)
        return self._once(
            ("contents", hashlib.sha256(contents).digest()),
            lambda: self._named(pa.ipc.open_stream(contents).read_all()),  # the frame may change
        )

    def read_parquet(self, files: Sequence[Path], columns: Sequence[str]) -> Table:
        """Name the rows of Parquet files."""
        name = next(self._names)
        self._read_parquet(name, [str(file) for file in files])
        return Table(self, name, tuple(columns))[list(columns)]

    def write_parquet(self, table: Table, file: Path) -> bool:  # noqa: ARG002  (this one cannot)
        """Write the rows of a table to one Parquet file, and tell whether this engine can."""
        return False

    def view(self, sql: str) -> Table:
        """Name the answer to a compiled question, the same question by the same name."""

        def named() -> Table:
            name = next(self._names)
            return Table(self, name, self._create_view(name, sql))

        return self._once(("view", sql), named)

    def keep(self, table: Table) -> Table:
        """Compute a view now, where it has not been."""

        def kept() -> Table:
            name = next(self._names)
            self._keep(name, table.name)
            return Table(self, name, table.columns)

        return self._once(("kept", table.name), kept)

    def answer(self, sql: str) -> pa.Table:
        """Answer a compiled question, where it has not been asked."""
        if (known := self._answers.get(sql)) is not None:
            return known
        found = self._answer(sql)
        if found.num_rows <= ANSWER_ROWS:
            if len(self._answers) >= _ASKED:
                self._answers.pop(next(iter(self._answers)))
            self._answers[sql] = found
        return found

    def forget(self) -> None:
        """Answer and make anew whatever is asked from here on, as who measures it must."""
        self._known.clear()
        self._answers.clear()

    def _named(self, arrow: pa.Table) -> Table:
        name = next(self._names)
        self._register(name, arrow)
        return Table(self, name, tuple(arrow.column_names))

    def _once(self, key: object, make: Callable[[], Table]) -> Table:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def compile(self, sql: str, names: Mapping[str, Any], **how: Any) -> str:
        """Bind tables and values, and write the SQL in this engine's dialect."""
        tables = {k: self.table(v).name for k, v in names.items() if isinstance(v, TableLike)}
        params = {k: v for k, v in names.items() if not isinstance(v, TableLike)}
        return compile_query(sql, tables=tables, params=params, dialect=self.dialect, **how)

    @abstractmethod
    def _register(self, name: str, arrow: pa.Table) -> None: ...
    @abstractmethod
    def _read_parquet(self, name: str, files: list[str]) -> None: ...
    @abstractmethod
    def _create_view(self, name: str, sql: str) -> tuple[str, ...]: ...
    @abstractmethod
    def _keep(self, name: str, view: str) -> None: ...
    @abstractmethod
    def _answer(self, sql: str) -> pa.Table: ...


class DuckEngine(Engine):
    """DuckDB in this process: as fast as a laptop gets, spilling to disk where needed."""

    dialect = "duckdb"
    # Text is sorted in half the time that it takes to group it.
    _repeated = (
        'select distinct "{0}" from ('
        'select "{0}", lag("{0}") over (order by "{0}") as before from t) as s where "{0}" = before'
    )

    def __init__(self, *, memory: str = "4GB", threads: int = 2, spill: Path | None = None) -> None:
        super().__init__()
        config: dict[str, Any] = {"memory_limit": memory, "threads": threads}
        if spill is not None:
            config["temp_directory"] = str(spill)
        self._connection = duckdb.connect(config=config)
        self._connection.execute("set timezone = 'UTC'")
        # DuckDB refuses this setting in a notebook without ipywidgets, where it draws none.
        with suppress(duckdb.Error):
            self._connection.execute("set enable_progress_bar = false")

    def write_parquet(self, table: Table, file: Path) -> bool:
        """Write the rows of a table to one Parquet file, and tell whether this engine can."""
        path = str(file).replace("'", "''")
        self._connection.execute(f"copy (from {table.name}) to '{path}' ({PARQUET})")
        return True

    def _register(self, name: str, arrow: pa.Table) -> None:
        self._connection.register(name, arrow)

    def _read_parquet(self, name: str, files: list[str]) -> None:
        # create_view keeps the paths out of any SQL text of ours
        self._connection.read_parquet(files).create_view(name)

    def _create_view(self, name: str, sql: str) -> tuple[str, ...]:
        self._connection.execute(f"create view {name} as {sql}")
        described = self._connection.execute(f"describe {name}").fetchall()
        return tuple(row[0] for row in described)

    def _keep(self, name: str, view: str) -> None:
        self._connection.execute(f"create temp table {name} as from {view}")

    def _answer(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()


def query(sql: str, /, *, limit: int = ANSWER_ROWS, **names: Any) -> pd.DataFrame:
    """Ask the engine one question and get a short table back.

    Parameters
    ----------
    sql : str
        One SELECT in the portable subset (docs/decisions), ordered by its key.
    limit : int
        Most rows that may come back; more is an error, never a cut.
    **names : Table, pandas.DataFrame, pyarrow.Table or value
        The tables that the SQL names, and the values of its `$name`.

    Returns
    -------
    pandas.DataFrame
        The answer. Decimals come back as floats, whole ones as integers.

    Raises
    ------
    DataError
        If the answer is longer than `limit`.
    ParameterError
        If the SQL is outside the subset, or its names do not fit.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "net_amount": [5, 7, 9]})
    >>> query("select customer_id, sum(net_amount) as spent from orders "
    ...       "where net_amount > $least group by customer_id order by customer_id",
    ...       orders=orders, least=5)
      customer_id  spent
    0           a      7
    1           b      9
    """
    engine = _engine_of(names)
    arrow = engine.answer(engine.compile(sql, names, limit=limit + 1))
    if arrow.num_rows > limit:
        raise DataError(
            f"An answer must have at most {limit:,} rows, but this one has more. "
            "Group it further in SQL, or read the table with `frame`."
        )
    engine.longest_answer = max(engine.longest_answer, arrow.num_rows)
    return _short_table(arrow)


def view(sql: str, /, **names: Any) -> Table:
    """Give the answer to a question a name in the engine; it is computed at each use."""
    engine = _engine_of(names)
    return engine.view(engine.compile(sql, names, ordered=False))


def keep(table: Table) -> Table:
    """Compute a view now and keep its rows, for what several questions will use."""
    return table.engine.keep(table)


def repeated(table: Table, column: str) -> Table:
    """Keep the values of a column that several rows have, each once; missing ones are left out.

    Examples
    --------
    >>> (held,) = in_one_engine(pd.DataFrame({"customer_id": ["a", "b", "a"]}))
    >>> frame(repeated(held, "customer_id"), limit=10)["customer_id"].tolist()
    ['a']
    """
    sql = table.need(column).engine._repeated.format(column)
    return keep(view(f'select "{column}" from ({sql}) as r where "{column}" is not null', t=table))


def frame(table: TableLike, *, limit: int) -> pd.DataFrame:
    """Bring the rows of a table into pandas: the one door, with a limit.

    Raises
    ------
    DataError
        If the table has more than `limit` rows.
    """
    if isinstance(table, pd.DataFrame):
        if len(table) > limit:
            raise DataError(
                f"A table read into pandas must have at most {limit:,} rows, but has "
                f"{len(table):,}. Group it in SQL, or raise the limit."
            )
        return table
    keys = table.columns if isinstance(table, Table) else table.column_names
    order = ", ".join(f'"{c}"' for c in keys)
    return query(f"select * from t order by {order}", t=table, limit=limit)


def in_one_engine(*tables: TableLike) -> tuple[Table, ...]:
    """Name all tables in one engine, so that one question can be asked of them."""
    engine = _engine_of({str(i): table for i, table in enumerate(tables)})
    return tuple(engine.table(table) for table in tables)


def grouped(
    table: TableLike, by: str | TableLike, *, key: str = "customer_id"
) -> tuple[Table, str]:
    """Add the group that each row belongs to.

    Parameters
    ----------
    table : table
        The rows to be grouped.
    by : str or table
        A column of `table`, or a table with `key` and one more column.
    key : str
        What the two tables share.

    Returns
    -------
    Table
        The rows with the group as text; 'not known' where there is none.
    str
        The name of the group's column.

    Raises
    ------
    DataError
        If a customer is in two groups, or a column is missing.
    """
    engine = _engine_of({"t": table, "by": by})
    rows = engine.table(table)
    if isinstance(by, str):
        rest = _columns(rows.need(by).columns, without=by)
        sql = f'select {rest} coalesce(cast(t."{by}" as varchar), \'not known\') as "{by}" from t'
        return view(sql, t=rows), by
    groups = engine.table(by).need(key)
    names = [c for c in groups.columns if c != key]
    if len(names) != 1:
        raise DataError(
            f"A table of groups must have {key!r} and one more column, but has {names}."
        )
    (name,) = names
    twice = query(
        f'select count(*) as n from (select "{key}" from g group by "{key}" having count(*) > 1) as d',  # noqa: E501
        g=groups,
    )["n"][0]
    if twice:
        raise DataError(f"Each {key} must be in one group, but {twice} are in several.")
    rest = _columns(rows.need(key).columns, without=name)
    sql = (
        f'select {rest} coalesce(cast(g."{name}" as varchar), \'not known\') as "{name}" '
        f'from t left join g on t."{key}" = g."{key}"'
    )
    return view(sql, t=rows, g=groups), name


def _columns(columns: Sequence[str], *, without: str) -> str:
    return "".join(f't."{c}", ' for c in columns if c != without)


def _engine_of(names: Mapping[str, Any]) -> Engine:
    """Find the engine that holds the tables; a new DuckDB for mere frames."""
    engines = {id(t.engine): t.engine for t in names.values() if isinstance(t, Table)}
    if len(engines) > 1:
        raise ParameterError("Tables of one question must lie in one engine.")
    return next(iter(engines.values()), None) or _here()


@cache
def _here() -> Engine:
    """Return the engine that mere frames are registered in, one for the whole session."""
    return DuckEngine()


def _arrow(data: pd.DataFrame | pa.Table) -> pa.Table:
    """Turn a frame into Arrow in the types that all engines share."""
    try:
        arrow = (
            data if isinstance(data, pa.Table) else pa.Table.from_pandas(data, preserve_index=False)
        )
    except pa.ArrowException as error:
        raise DataError(f"A column must hold one type: {error}") from error
    fields = []
    for f in arrow.schema:
        kind = f.type
        if pa.types.is_timestamp(kind):
            kind = pa.timestamp("us")  # UTC by convention, without a zone
        elif (
            pa.types.is_null(kind) or pa.types.is_dictionary(kind) or pa.types.is_large_string(kind)
        ):
            kind = pa.string()
        fields.append(pa.field(f.name, kind))
    return arrow.cast(pa.schema(fields), safe=False).replace_schema_metadata(None)


def _contents(arrow: pa.Table) -> pa.Buffer:
    """Write a short table as bytes."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, arrow.schema) as writer:
        writer.write_table(arrow)
    return stream.getvalue()


def _short_table(arrow: pa.Table) -> pd.DataFrame:
    """Turn an answer into pandas with the same types whatever the engine."""
    plain = pa.table([_plain(c) for c in arrow.columns], names=arrow.column_names)
    answer: pd.DataFrame = plain.to_pandas(date_as_object=False)
    return answer


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_decimal(column.type):
        return column.cast(pa.int64() if column.type.scale == 0 else pa.float64())
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us"))
    return column
