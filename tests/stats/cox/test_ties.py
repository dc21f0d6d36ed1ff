"""Sums over the events of one time, against adding them up one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.stats.cox.ties import tie_sums


def one_by_one(d, at_risk, tied):
    c = np.arange(d) / d
    left = at_risk - c * tied
    add = math.fsum
    return {
        "log": add(np.log(left)), "a0": add(1 / left), "a1": add(c / left),
        "b0": add(1 / left**2), "b1": add(c / left**2), "b2": add(c**2 / left**2),
    }  # fmt: skip


@given(
    st.integers(1, 3000), st.floats(1e-3, 1e6),
    st.one_of(st.just(1.0), st.floats(1e-6, 1)),
)  # fmt: skip
def test_they_are_those_of_adding_up_one_by_one(d, at_risk, share):
    found = tie_sums(
        np.array([float(d)]), np.array([at_risk]), np.array([share * at_risk]), ties="efron"
    )
    expected = one_by_one(d, at_risk, share * at_risk)
    assert found.log[0] == pytest.approx(
        expected["log"], rel=1e-12, abs=1e-12 * d * (1 + abs(math.log(at_risk)))
    )
    assert found.a0[0] == pytest.approx(expected["a0"], rel=1e-12)
    assert found.b0[0] == pytest.approx(expected["b0"], rel=1e-12)
    # The others meet sums of those with the event, which are a share of those at risk.
    for name, power in (("a1", 1), ("b1", 1), ("b2", 2)):
        whole = expected["a0" if name == "a1" else "b0"]
        error = getattr(found, name)[0] - expected[name]
        assert error * share**power == pytest.approx(0, abs=1e-12 * whole)


def test_one_event_at_a_time_has_no_ties():
    one = np.array([1.0]), np.array([8.0]), np.array([3.0])
    efron, breslow = (tie_sums(*one, ties=t) for t in ("efron", "breslow"))
    for name in ("log", "a0", "a1", "b0", "b1", "b2"):
        assert getattr(efron, name) == pytest.approx(getattr(breslow, name), abs=1e-14)
