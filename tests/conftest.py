"""What all tests share: both engines, a browser, and the real data where they are."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Workers share the machine: threads of one would only wait for those of another. Read by
# numpy when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib as mpl
import pytest
from hypothesis import settings

from cxlab.data.engine import DuckEngine, Engine

mpl.use("agg")
# Other work may share the machine, so no example has a deadline.
settings.register_profile("cxlab", deadline=None, max_examples=50)
settings.load_profile("cxlab")

# They read one run of the made-up company.
HOSTILE = ("test_same_numbers.py", "test_nothing_personal.py")
# What takes minutes begins first, so that no worker is left alone with it at the end. A worker
# that has one or two tests left takes the next lot too: so the one test of kills does not stand
# just before Spark.
LONGEST = (
    "spark",
    "hostile company",
    "tests/cycle/test_interrupted.py",
    "tests/test_every_measure.py",
    "tests/test_published.py",
    "tests/cycle/test_again.py",
    "tests/cycle/test_run.py",
)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand each file to one worker whole, and to one all that needs Spark, or one long run.

    `--dist loadgroup` is made for this, but does nothing with pytest 9.2 (pytest-xdist #1386).
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            if re.search(r"\bspark\b", test.partition("[")[2]):
                return "spark"
            return "hostile company" if file.endswith(HOSTILE) else file

        def _assign_work_unit(self, node: Any) -> None:
            for group in reversed(LONGEST):
                if group in self.workqueue:
                    self.workqueue.move_to_end(group, last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def _spark() -> Engine:
    pytest.importorskip("pyspark", reason="PySpark is not installed (extra 'spark')")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed, which Spark needs")
    from cxlab.data.spark import SparkEngine

    # Java's second compiler and its threads would take the cores that the other worker needs:
    # without them a fifth less of the processors, though alone each question takes longer.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    engine = SparkEngine()  # what it keeps stays until the last test
    # Most of a small question's time is spent on compiling and replanning it.
    for key, setting in (
        ("spark.sql.adaptive.enabled", "false"),
        ("spark.sql.codegen.wholeStage", "false"),
        ("spark.sql.codegen.factoryMode", "NO_CODEGEN"),
    ):
        engine._session.conf.set(key, setting)
    return engine


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start the system's Chromium once for all tests."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (Debian's package 'chromium')")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield running
        running.close()
