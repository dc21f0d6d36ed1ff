"""95 % intervals of survival analysis hold the truth: the short run of calibrate_survival.py."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

_FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


def _loaded(name):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


sys.path.insert(0, str(_FOLDER))  # where their own imports lie
calibrate, survival = _loaded("calibrate"), _loaded("calibrate_survival")

REPETITIONS = 200


def test_a_truth_of_each_method_is_held_as_often_as_promised():
    """One size and one setting of each; the long run takes three sizes and all."""
    first = {}
    for method, setting, truth, simulate in survival.survival_cases(200):
        first.setdefault(method, calibrate.Case(method, 200, setting, truth, simulate))
    found = calibrate.calibrate(repetitions=REPETITIONS, tried=first.values())
    low, high = calibrate.limits(REPETITIONS)
    assert len(found) == 14
    assert found["coverage"].between(low, high).all(), found


def test_tests_find_nothing_where_there_is_nothing_more_often_than_they_say():
    _, most = calibrate.limits(REPETITIONS, truth=0.05)
    for name, test in survival.null_tests(200):
        found = survival.rejections(test, f"{name}/200", repetitions=REPETITIONS)
        assert found <= most, name


def test_an_error_of_one_persons_time_is_caught():
    """lifelines' variance of a restricted mean is that of one time: far too wide, always held."""
    rng = np.random.default_rng(1)
    curve = survival._made(rng, 400)
    se = survival.restricted_mean(curve, 1.0).se
    one_time = np.sqrt(2 * (1 - 2 * np.exp(-1)) - (1 - np.exp(-1)) ** 2)
    assert one_time / se == pytest.approx(np.sqrt(400), rel=0.15)
