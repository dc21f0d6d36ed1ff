"""What a naive analysis finds where there is nothing, and what (entry, stop] does about it.

Nothing is planted: everybody leaves at one constant rate. The naive way must miss by far in every
repetition; ours must hold the truth as often as it promises.
"""

import numpy as np

from cxlab.stats.cox import cox
from cxlab.stats.survival import log_rank, product_limit, share_difference

MEAN, END = 40.0, 104.0  # weeks until somebody leaves, on average; weeks watched
N = 1000
REPETITIONS = 40
FEW = 8  # of 40 intervals at 95 % so many or more miss once in a thousand times


def lives(seed):
    """Week in which each leaves or was last seen, which of the two, and more chance."""
    rng = np.random.default_rng(seed)
    leaves = rng.exponential(MEAN, N)
    return np.minimum(leaves, END), (leaves < END).astype(float), rng


def ends(fit):
    return fit.table()[["conf_low", "conf_high"]].iloc[0].tolist()


def misses(intervals, truth=1.0):
    return sum(not low <= truth <= high for low, high in intervals)


def test_a_status_that_only_those_reach_who_stay_seems_to_keep_them_until_it_counts_from_then_on():
    """Immortal time: nobody can leave before the status that they are said to have."""
    cut, landmark = [], []
    for seed in range(REPETITIONS):
        stop, event, rng = lives(seed)
        reached = rng.uniform(0, END, N)
        ever = reached < stop
        # Known in the end and taken for known from the start, it seems to quarter the rate.
        assert ends(cox(ever * 1.0, stop, event))[1] < 0.5
        assert log_rank(stop, event, 1 - event, group=ever).p_value < 1e-6
        one, other = (product_limit(stop[g], event[g], 1 - event[g]) for g in (ever, ~ever))
        assert share_difference(one, other, 26).low > 0.2

        # Each history is cut where it is reached: before, nobody has it.
        before, after = np.where(ever, reached, stop), np.where(ever, 0, event)
        has = np.r_[np.zeros(N), np.ones(ever.sum())]
        start = np.r_[np.zeros(N), reached[ever]]
        fit = cox(has, np.r_[before, stop[ever]], np.r_[after, event[ever]], entry=start)
        cut.append(ends(fit))
        # At a landmark, those who are there are told apart by what is known by then.
        there = stop > 26
        known = (reached <= 26)[there] * 1.0
        landmark.append(ends(cox(known, stop[there] - 26, event[there])))
    assert misses(cut) < FEW
    assert misses(landmark) < FEW
    # Narrow enough to have told 1 from what the naive one claims.
    assert min(low for low, _ in cut + landmark) > 0.5


def test_a_group_of_which_only_those_are_recorded_who_stayed_seems_to_stay_longer():
    """Late entry: customers of an older system are in the records if they stayed until it."""
    truth = np.exp(-26 / MEAN)
    curves, ratios, p_values = [], [], []
    for seed in range(REPETITIONS):
        stop, event, rng = lives(seed)
        old = np.arange(N) % 2 == 0
        entry = np.where(old, rng.uniform(0, 60, N), 0.0)
        seen = stop > entry
        stop, event, entry, old = (values[seen] for values in (stop, event, entry, old))
        naive, ours = (
            product_limit(stop[old], event[old], 1 - event[old], **late).share_at(26)
            for late in ({}, {"entry": entry[old]})
        )
        assert naive.low > truth + 0.1
        curves.append((ours.low, ours.high))
        assert ends(cox(old * 1.0, stop, event))[1] < 0.9
        ratios.append(ends(cox(old * 1.0, stop, event, entry=entry)))
        assert log_rank(stop, event, 1 - event, group=old).p_value < 1e-3
        p_values.append(log_rank(stop, event, 1 - event, group=old, entry=entry).p_value)
    assert misses(curves, truth) < FEW
    assert misses(ratios) < FEW
    assert sum(p < 0.05 for p in p_values) < FEW
