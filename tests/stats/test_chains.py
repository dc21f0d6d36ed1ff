"""Absorbing chains: published numbers, identities, and walks drawn step by step."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.chains import conversion, removal_effects

Path = tuple[list[int], bool]

paths = st.lists(
    st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.booleans()),
    min_size=1,
    max_size=30,
)


def counted(walks: list[Path], states: int, *, loops: bool = True) -> np.ndarray:
    counts = np.zeros((states + 1, states + 2))
    for walk, ends_well in walks:
        counts[0, walk[0]] += 1
        for here, there in pairwise(walk):
            if loops or here != there:
                counts[here + 1, there] += 1
        counts[walk[-1] + 1, states if ends_well else states + 1] += 1
    return counts


def without(counts: np.ndarray, state: int) -> np.ndarray:
    """Send every move into a state to the bad end, as the definition says."""
    cut = counts.copy()
    cut[:, -1] += cut[:, state]
    cut[:, state] = 0
    return cut


def test_three_paths_worked_by_hand() -> None:
    # C1 > C2 > C3 ends well; C1 and C2 > C3 do not.
    counts = counted([([0, 1, 2], True), ([0], False), ([1, 2], False)], 3)
    assert conversion(counts) == pytest.approx(1 / 3)
    effects = removal_effects(counts)
    assert effects == pytest.approx([0.5, 1, 1])
    assert effects / effects.sum() == pytest.approx([0.2, 0.4, 0.4])


@given(walks=paths)
def test_a_chain_ends_well_as_often_as_the_walks_it_was_counted_from(walks: list[Path]) -> None:
    share = np.mean([ends_well for _, ends_well in walks])
    assert conversion(counted(walks, 4)) == pytest.approx(share, abs=1e-10)


@given(walks=paths)
def test_staying_where_one_is_changes_nothing(walks: list[Path]) -> None:
    with_, out = (counted(walks, 4, loops=loops) for loops in (True, False))
    assert conversion(with_) == pytest.approx(conversion(out), abs=1e-10)
    assert removal_effects(with_) == pytest.approx(removal_effects(out), abs=1e-10, nan_ok=True)


@given(walks=paths)
def test_all_effects_from_one_inverse_are_those_of_removing_one_by_one(walks: list[Path]) -> None:
    counts = counted([*walks, ([0], True)], 4)
    everything = conversion(counts)
    one_by_one = [1 - conversion(without(counts, state)) / everything for state in range(4)]
    assert removal_effects(counts) == pytest.approx(one_by_one, abs=1e-10)


def test_walks_drawn_step_by_step_meet_a_state_as_often_as_its_effect_says() -> None:
    share = np.array(
        [[0.5, 0.3, 0.2, 0, 0], [0.1, 0.4, 0.1, 0.1, 0.3], [0.2, 0, 0.3, 0.2, 0.3],
         [0.1, 0.2, 0, 0.4, 0.3]]
    )  # fmt: skip
    rng = np.random.default_rng(4)
    at, met = np.full(100_000, 0), np.zeros((100_000, 3), dtype=bool)
    bought, going = np.zeros(100_000, dtype=bool), np.arange(100_000)
    while len(going):
        edges = share[at[going]].cumsum(axis=1)[:, :-1]
        to = (rng.random((len(going), 1)) >= edges).sum(axis=1)
        bought[going[to == 3]] = True
        going, to = going[to < 3], to[to < 3]
        at[going] = to + 1
        met[going, to] = True
    assert bought.mean() == pytest.approx(conversion(share), abs=0.0064)  # 4 SE
    # Who loses every walk through a state loses just the good ends of those.
    noise = 4 * np.sqrt(0.25 / bought.sum())
    assert met[bought].mean(axis=0) == pytest.approx(removal_effects(share), abs=noise)


def test_chains_of_a_batch_are_solved_as_each_alone() -> None:
    rng = np.random.default_rng(2)
    batch = rng.integers(1, 50, size=(5, 13, 14))
    assert np.allclose(removal_effects(batch), [removal_effects(each) for each in batch])
    assert np.allclose(conversion(batch), [conversion(each) for each in batch])


def test_a_state_that_nobody_met_has_no_effect() -> None:
    counts = counted([([0, 1], True), ([1], False)], 3)
    assert removal_effects(counts)[2] == 0


def test_where_nothing_ends_well_there_is_no_effect_to_tell() -> None:
    assert np.isnan(removal_effects(counted([([0], False)], 1))).all()


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((3, 3)), "must have a row for the start"),
        (-np.ones((2, 3)), "finite and not negative"),
        (np.array([[1.0, 0, 0], [1, 0, 0]]), "never leaves"),
    ],
)
def test_counts_that_are_none_are_refused(counts: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        conversion(counts)
