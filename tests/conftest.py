"""What all tests share: both engines, and the real data where they are."""

import shutil
from pathlib import Path

import matplotlib as mpl
import pytest

from cxlab.data.engine import DuckEngine, Engine

mpl.use("agg")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def _spark() -> Engine:
    pytest.importorskip("pyspark", reason="PySpark is not installed (extra 'spark')")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed, which Spark needs")
    from cxlab.data.spark import SparkEngine

    return SparkEngine()


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Give each test both engines in turn: same SQL, equal numbers."""
    if request.param == "duckdb":
        return DuckEngine()
    spark: Engine = request.getfixturevalue("_spark")
    return spark


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets; a user of the project does not have it."""
    if not SHARED.is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    return SHARED
