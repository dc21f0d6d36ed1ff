"""95 % intervals hold the truth 95 % of the time: the short run of benchmarks/calibrate.py."""

import importlib.util
import sys
from pathlib import Path

import pytest

from cxlab.stats.promoters import nps_wald

_PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "calibrate.py"
_SPEC = importlib.util.spec_from_file_location("calibrate", _PATH)
calibrate = importlib.util.module_from_spec(_SPEC)
sys.modules["calibrate"] = calibrate  # dataclasses look their module up
sys.path.insert(0, str(_PATH.parent))  # where its own imports lie
_SPEC.loader.exec_module(calibrate)

REPETITIONS = 100


@pytest.fixture(scope="module")
def covered():
    return calibrate.calibrate(repetitions=REPETITIONS)


def test_the_limits_are_the_binomial_ones():
    # 99.9 % of perfect intervals; R = 2,000 as in the long run.
    assert calibrate.limits(2000) == pytest.approx((0.934, 0.966), abs=1e-3)
    low, high = calibrate.limits(REPETITIONS)
    assert low < 0.934 < 0.966 < high


def test_mean_coverage_of_each_method_and_size_is_within_the_limits(covered):
    low, high = calibrate.limits(REPETITIONS)
    mean = covered.groupby(["method", "n"])["coverage"].mean()
    assert len(mean) == 30
    assert mean.between(low, high).all(), mean[~mean.between(low, high)]


def test_no_single_truth_is_held_much_too_rarely(covered):
    floor, _ = calibrate.limits(REPETITIONS, truth=calibrate.FLOOR)
    assert (covered["coverage"] >= floor).all(), covered[covered["coverage"] < floor]


def test_a_method_that_is_known_to_fail_is_caught():
    def simulate(rng):
        promoters, passives, detractors = (int(x) for x in rng.multinomial(10, [0.9, 0.08, 0.02]))
        return nps_wald(promoters, passives, detractors)

    plain = calibrate.Case("Wald NPS", 10, "0.9 - 0.02", 88.0, simulate)
    # Plain Wald with ten answers that nearly all agree: about 65 % where 95 % is claimed.
    assert calibrate.coverage(plain, repetitions=500) == pytest.approx(0.65, abs=0.07)


def test_the_same_run_gives_the_same_coverage():
    case = next(iter(calibrate.cases()))
    assert calibrate.coverage(case, repetitions=50) == calibrate.coverage(case, repetitions=50)


def test_a_few_truths_of_funnels_are_held_as_often_as_promised():
    """One size and one way of each method; `make calibrate` runs three sizes and all."""
    first = {case.method: case for case in calibrate.cases_of_funnels() if case.n == 200}
    covered = calibrate.calibrate(repetitions=REPETITIONS, tried=first.values())
    low, high = calibrate.limits(REPETITIONS)
    assert set(covered["method"]) == {
        "conversion", "step rate, sessions", "step change, shared people", "rate effect",
        "mix effect", "curve", "curve, sessions",
    }  # fmt: skip
    assert covered["coverage"].between(low, high).all(), covered
