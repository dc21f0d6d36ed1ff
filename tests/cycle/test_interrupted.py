"""A run is killed at random moments: readers see the old or the new cycle, never a mix.

Three moments with every change; `CXLAB_MOMENTS=200 pytest tests/cycle/test_interrupted.py`
tries as many as one likes. A run that is killed is started again on what it has left behind,
and killed again, until one comes to its end. Only what was still running counts as killed.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import pytest

from cxlab.cycle.again import differences
from cxlab.cycle.findings import read_findings
from cxlab.cycle.manifest import verify
from cxlab.cycle.place import hash_tree
from cxlab.data.sample.study import new_sample
from cxlab.data.sample.write import Options

MOMENTS = int(os.environ.get("CXLAB_MOMENTS", "3"))
IN_A_ROW = min(MOMENTS, 5)
GONE_SECONDS = 20  # mostly one; the machine may be busy
# Two chapters that run side by side go every way that all do, and are done sooner; whoever asks
# for more moments asks for more chapters too.
WITHOUT = ("answers", "interactions", "promises", "subscriptions", "order_lines", "referrals")
CHAPTERS = [] if "CXLAB_MOMENTS" in os.environ else ["--chapters", "10,90"]
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Shop:
    """A study with an old report, and sources that have changed since.

    `old` and `new` are what readers may see; `seconds` an uninterrupted run.
    """

    place: Path
    old: dict[str, str]
    new: pd.DataFrame
    seconds: float

    @property
    def target(self) -> Path:
        """Where the cycle is published."""
        return self.place / "reports" / "shop" / "2026Q3"

    def fresh(self, name: str) -> "Shop":
        """Return the same shop in a place of its own, before the second run."""
        place = self.place.parent / name
        shutil.copytree(self.place, place, symlinks=True)
        return Shop(place, self.old, self.new, self.seconds)

    def start(self) -> subprocess.Popen[bytes]:
        return run(self.place)


def run(place: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from cxlab.cli import main; main()", "run", "shop"]
    return subprocess.Popen(
        [*command, *CHAPTERS], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    place = tmp_path_factory.mktemp("old") / "place"
    place.mkdir()
    new_sample(place / "shop", Options(customers=300, seed=2026, variant="base"))
    for table in WITHOUT:
        (place / "shop" / "tables" / f"{table}.sql").unlink()
    assert run(place).wait(300) == 0
    before = Shop(place, hash_tree(place / "reports" / "shop" / "2026Q3"), pd.DataFrame(), 0)
    orders = place / "shop" / "raw" / "webshop" / "orders.csv"
    orders.write_text("".join(orders.read_text().splitlines(keepends=True)[:-40]))
    whole = before.fresh("whole")
    began = time.monotonic()
    assert run(whole.place).wait(300) == 0
    seconds = time.monotonic() - began
    return Shop(place, before.old, read_findings(whole.target), seconds)


def seen(shop: Shop) -> str:
    """Say what a reader finds: the old cycle or the new one, whole in either case."""
    found = hash_tree(shop.target)
    if found == shop.old:
        return "old"
    assert verify(shop.target, found) == []
    assert differences(shop.new, read_findings(shop.target)) == []
    return "new"


def is_killed(runner: subprocess.Popen[bytes], after: float) -> bool:
    """Kill a run with all that it has started; False where it was over by then."""
    try:
        assert runner.wait(after) == 0
        return False
    except subprocess.TimeoutExpired:
        family = psutil.Process(runner.pid).children(recursive=True)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
    assert [p for p in alive if p.is_running() and p.status() != "zombie"] == []
    return True


@pytest.mark.parametrize("turn", range(MOMENTS // IN_A_ROW))
def test_readers_see_the_old_or_the_new_cycle_and_the_rerun_equals_a_whole_run(shop, turn):
    chance = random.Random(turn)  # noqa: S311  (no secret)
    moments = 0
    while moments < IN_A_ROW:
        here = shop.fresh(f"killed-{turn}-{moments}")
        # Beyond the length of a run too, so that the last steps are hit on a slow machine.
        longest = 1.2 * shop.seconds
        while moments < IN_A_ROW and is_killed(here.start(), chance.uniform(0, longest)):
            moments += 1
            assert seen(here) in ("old", "new")
        assert here.start().wait(300) == 0
        assert seen(here) == "new"
        assert [p.name for p in here.target.parent.iterdir() if "staging" in p.name] == []
        shutil.rmtree(here.place)
