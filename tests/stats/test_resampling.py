"""Change between two periods in which the same customers answered."""

import pandas as pd
import pytest

from cxlab.errors import DataError
from cxlab.stats.differences import newcombe
from cxlab.stats.resampling import PATTERN, bootstrap_change


def patterns(*rows):
    return pd.DataFrame(rows, columns=list(PATTERN))


LINKED = patterns((1, 1, 1, 1, 60), (1, 0, 1, 0, 25), (1, 1, 1, 0, 15))
APART = patterns((1, 1, 0, 0, 75), (1, 0, 0, 0, 25), (0, 0, 1, 1, 60), (0, 0, 1, 0, 40))


def test_the_estimate_is_the_plain_difference():
    for table in (LINKED, APART):
        assert bootstrap_change(table, seed=1).estimate == pytest.approx(0.15, abs=1e-12)
        assert bootstrap_change(table, seed=1).n == 200


def test_the_same_people_twice_make_a_change_surer_than_other_people():
    linked, apart = bootstrap_change(LINKED, seed=1), bootstrap_change(APART, seed=1)
    assert linked.high - linked.low < 0.6 * (apart.high - apart.low)
    assert linked.low > 0


def test_of_other_people_it_agrees_with_newcombe():
    found, closed = bootstrap_change(APART, seed=1), newcombe(75, 100, 60, 100)
    # 4,000 draws leave about 0.004 of noise in a percentile of sd 0.066.
    assert (found.low, found.high) == pytest.approx((closed.low, closed.high), abs=0.015)


def test_neither_the_order_of_rows_nor_their_splitting_matters():
    split = pd.concat([LINKED.assign(customers=[30, 5, 5]), LINKED.assign(customers=[30, 20, 10])])
    first, second = bootstrap_change(LINKED, seed=7), bootstrap_change(split[::-1], seed=7)
    assert (first.low, first.high) == (second.low, second.high)


def test_another_seed_gives_other_draws_and_nearly_the_same_ends():
    first, second = bootstrap_change(APART, seed=1), bootstrap_change(APART, seed=2)
    assert (first.low, first.se) != (second.low, second.se)
    assert first.low == pytest.approx(second.low, abs=0.02)  # five times the noise above


def test_many_patterns_are_drawn_in_batches_and_nothing_is_lost():
    rows = [(n, k, 1, 1, 3) for n in range(1, 80) for k in range(n + 1)]
    found = bootstrap_change(patterns(*rows), seed=1, draws=1_500)
    assert found.low < found.estimate < found.high


def test_inputs_are_unchanged():
    before = LINKED.copy(deep=True)
    bootstrap_change(LINKED, seed=1)
    pd.testing.assert_frame_equal(LINKED, before)


def test_a_period_without_answers_is_refused():
    with pytest.raises(DataError, match="10 answered now and 0 before"):
        bootstrap_change(patterns((1, 1, 0, 0, 10)), seed=1)
