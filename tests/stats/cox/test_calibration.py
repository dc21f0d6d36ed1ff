"""Intervals of Cox regressions hold the truth: the short run of benchmarks/calibrate_cox.py."""

import importlib.util
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.special import bdtr

_PATH = Path(__file__).resolve().parents[3] / "benchmarks" / "calibrate_cox.py"
_SPEC = importlib.util.spec_from_file_location("calibrate_cox", _PATH)
calibrate_cox = importlib.util.module_from_spec(_SPEC)
sys.modules["calibrate_cox"] = calibrate_cox
_SPEC.loader.exec_module(calibrate_cox)

REPETITIONS = 100
CASES = list(calibrate_cox.cox_cases(200))


@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}, {c[1]}" for c in CASES])
def test_intervals_hold_the_truth_as_often_as_they_say(case):
    method, setting, truth, simulate = case
    rng = np.random.default_rng(zlib.crc32(f"{method}/{setting}".encode()))
    found = [simulate(rng) for _ in range(REPETITIONS)]
    held = sum(one.low <= truth <= one.high for one in found)
    # So few or fewer happen to a perfect interval once in 2,000 runs.
    assert bdtr(held, REPETITIONS, 0.95) > 5e-4, held


def test_ratios_that_stay_are_rarely_said_to_change_and_one_that_turns_often_is():
    alarms = calibrate_cox.false_alarms(200, repetitions=REPETITIONS)
    # 13 or more of 100 happen at 5 % once in 700 runs.
    assert (alarms[["level", "global"]] <= 0.12).all(axis=None), alarms
    found = calibrate_cox.power(2000, repetitions=20)
    assert (found["level"] > 0.7).all(), found
