"""Spark as the engine: the same SQL, on a cluster. Needs the extra `spark` and Java 17."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from cxlab.data.engine import Engine
from cxlab.errors import RunError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["SparkEngine"]


class SparkEngine(Engine):
    """A Spark session, given or started on this machine.

    Parameters
    ----------
    session : pyspark.sql.SparkSession, optional
        A running session; its time zone, timestamp type and ANSI mode are set to ours.
        Default: a local session on `threads` cores.
    threads : int
        Cores of a local session.

    Raises
    ------
    RunError
        If PySpark is not installed.

    Notes
    -----
    Rows that are kept lie with the executors, and are lost with one of them: Spark then ends
    with an error. A session that was made with `spark.checkpoint.dir` keeps them there instead,
    as plain files of customers' data which Spark leaves behind unless it was also made with
    `spark.cleaner.referenceTracking.cleanCheckpoints`; whoever names the folder protects and
    empties it. `SparkContext.setCheckpointDir` says nothing here.
    """

    dialect = "spark"

    def __init__(self, session: SparkSession | None = None, *, threads: int = 2) -> None:
        super().__init__()
        self._session = session or _local_session(threads)
        # Moments are UTC without a zone, as in DuckDB; an overflow must not pass in silence.
        for key, setting in (
            ("spark.sql.session.timeZone", "UTC"),
            ("spark.sql.timestampType", "TIMESTAMP_NTZ"),
            ("spark.sql.ansi.enabled", "true"),
        ):
            self._session.conf.set(key, setting)
        self._has_place = bool(self._session.conf.get("spark.checkpoint.dir", ""))

    def _register(self, name: str, arrow: pa.Table) -> None:
        self._session.createDataFrame(arrow).createOrReplaceTempView(name)

    def _read_parquet(self, name: str, files: list[str]) -> None:
        self._session.read.parquet(*files).createOrReplaceTempView(name)

    def _create_view(self, name: str, sql: str) -> tuple[str, ...]:
        rows = self._session.sql(sql)
        rows.createOrReplaceTempView(name)
        return tuple(rows.columns)

    def _keep(self, name: str, view: str) -> None:
        # A cached table would drag along all that it was made of, and what is built upon it is
        # planned anew each time, with all of that: a map took three times as long.
        rows = self._session.table(view)
        kept = rows.checkpoint() if self._has_place else rows.localCheckpoint()
        kept.createOrReplaceTempView(name)

    def _answer(self, sql: str) -> pa.Table:
        return self._session.sql(sql).toArrow()


def _local_session(threads: int) -> SparkSession:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise RunError(
            "The engine 'spark' needs PySpark and Java 17: pip install 'cxlab[spark]'."
        ) from error
    session: SparkSession = (
        SparkSession.builder.master(f"local[{threads}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", str(threads))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session
