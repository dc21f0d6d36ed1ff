"""The distance is scipy's, and chance alone rarely passes for a move."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from cxlab.errors import DataError
from cxlab.stats.divergence import js_distance, shift_of_shares
from tests.stats.test_calibration import calibrate


def sums(before, now):
    """Counts of people (rows) by kind (columns), summed up as `shift_of_shares` needs them."""
    gap = now / now.sum() - before / before.sum()
    return before.sum(axis=0), now.sum(axis=0), gap.T @ gap


def permuted(before, now, seed, draws=4_000):
    """Share of true permutations with a distance at least as large: a sign for every person."""
    rng = np.random.default_rng(seed)
    p, q = before.sum(axis=0) / before.sum(), now.sum(axis=0) / now.sum()
    middle = (p + q) / 2
    gap = now / now.sum() - before / before.sum()
    own = gap - np.outer(gap.sum(axis=1), middle)
    found, hits = js_distance(p, q), 0
    for _ in range(draws):
        change = (rng.choice([-1.0, 1.0], len(own)) @ own) / 2
        hits += js_distance(*(np.clip(middle + s * change, 0, None) for s in (-1, 1))) >= found
    return hits / draws


def test_the_distance_is_that_of_scipy():
    rng = np.random.default_rng(1)
    for _ in range(50):
        p, q = rng.dirichlet([0.4] * 6, size=2)
        p[0] = 0
        p /= p.sum()
        assert js_distance(p, q) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-12)
    assert js_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1


@pytest.mark.parametrize("seed", range(4))
def test_the_limit_agrees_with_true_permutations_of_people(seed):
    before, now, _ = calibrate.drifting(np.random.default_rng(seed), people=300, moved=0.03)
    found = shift_of_shares(*sums(before, now), people=len(now), seed=seed)
    p = permuted(before, now, seed)
    # Two simulated shares of 4,000 and 9,999 draws, and the limit at 300 people.
    assert found.p == pytest.approx(p, abs=4 * np.sqrt(0.25 / 4_000) + 0.01)


def test_chance_alone_rarely_passes_for_a_move_and_the_interval_holds_the_truth():
    found = calibrate.drift_calibration(
        repetitions=200, draws=499, drifts=((300, 0.0), (300, 0.06))
    )
    _, most = calibrate.limits(200, truth=0.05)
    least, _ = calibrate.limits(200)
    assert (found["rejected"][found["moved"] == 0] <= most).all(), found
    assert (found["coverage"] >= least).all(), found
    # A distance is never negative: without any move it is as large as chance makes it.
    still = found[found["moved"] == 0]
    assert (still["distance"] / still["expected"]).between(0.93, 1.07).all(), found


def test_people_who_are_there_in_both_periods_are_not_taken_for_two():
    """Each person the same in both: whatever differs between people, nothing has moved."""
    counts = np.random.default_rng(3).multinomial(20, [0.5, 0.3, 0.2], size=200).astype(float)
    found = shift_of_shares(*sums(counts, counts), people=200, seed=1)
    assert found.p == 1
    assert found.high == pytest.approx(0)


def test_a_period_without_rows_is_refused():
    with pytest.raises(DataError, match="rows in both periods"):
        shift_of_shares([0, 0], [1, 2], np.eye(2), people=9, seed=1)
