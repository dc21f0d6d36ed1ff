"""The truth about journeys: how they move from touchpoint to touchpoint, and how they end.

A journey is a Markov chain over nine touchpoints that ends in a purchase or in nothing.
With `company.memory` a step goes back to the touchpoint before the last one, so the
state is a pair: the touchpoint before (0 for none, else its place plus one) and the
present one. Purchases come first in the simulation; their journeys are drawn from the
chain given how they end (Doob's transform), which leaves the chain itself unchanged.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.company import QUARTERS, Company
from cxlab.data.sample.touchpoints import CHANNEL_SHARES, CHANNELS, NEWER_CHANNELS, TOUCHPOINTS

__all__ = [
    "NOTHING",
    "Chain",
    "chain",
    "channel_shares",
    "first_order",
    "truth_of_journeys",
    "walk",
]

Numbers = NDArray[np.float64]

_K = len(TOUCHPOINTS)
NOTHING = _K  # the ending of a journey without a purchase; the others are touchpoints
_START = (_K + 1) * _K  # the state before the first touchpoint


@dataclass(frozen=True, eq=False)
class Chain:
    """The chain of one quarter, on pairs of touchpoints.

    Attributes
    ----------
    step : numpy.ndarray, shape (91, 9)
        Probability of the next touchpoint from each state; the last row is the start.
    buy, nothing : numpy.ndarray, shape (91,)
        Probability that the journey ends now, in a purchase or in nothing.
    """

    step: Numbers
    buy: Numbers
    nothing: Numbers

    def onward(self, values: Numbers) -> Numbers:
        """Return each state's value at each next touchpoint, shape (91, 9, ...)."""
        return np.asarray(values[_next_states()])

    def endings(self, stay: Numbers | None = None) -> Numbers:
        """Probability of each ending from each state, shape (91, 10).

        The columns are a purchase at each touchpoint, and nothing. `stay` is the
        probability to get past each touchpoint; 1 where nothing is removed.
        """
        alive = np.ones(_K) if stay is None else stay
        reward = np.zeros((_START + 1, _K + 1))
        states = np.arange(_START)
        reward[states, states % _K] = self.buy[:_START]
        reward[:, NOTHING] = self.nothing + self.step @ (1 - alive)
        move = np.zeros((_START + 1, _START + 1))
        rows = np.repeat(np.arange(_START + 1), _K)
        np.add.at(move, (rows, _next_states().ravel()), (self.step * alive).ravel())
        return np.asarray(np.linalg.solve(np.eye(_START + 1) - move, reward), np.float64)

    def conversion(self, stay: Numbers | None = None) -> float:
        """Probability that a journey ends in a purchase."""
        return float(self.endings(stay)[_START, :NOTHING].sum())

    def ending_shares(self) -> Numbers:
        """Share of the purchases made at each touchpoint, shape (9,)."""
        shares = self.endings()[_START, :NOTHING]
        return np.asarray(shares / shares.sum())

    def given_endings(self) -> Numbers:
        """Cumulative probability of the next touchpoint given the ending, shape (10, 91, 10).

        The last column closes the journey.
        """
        toward = self.endings()
        reward = np.zeros_like(toward)
        states = np.arange(_START)
        reward[states, states % _K] = self.buy[:_START]
        reward[:, NOTHING] = self.nothing
        weights = np.concatenate(
            [self.step[:, :, None] * self.onward(toward), reward[:, None, :]], axis=1
        )
        total = weights.sum(axis=1, keepdims=True)
        given = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        return np.ascontiguousarray(given.cumsum(axis=1).transpose(2, 0, 1))


def first_order(company: Company, quarter: int) -> Numbers:
    """Return the transitions of a quarter (0 to 11), which drift towards newer channels.

    Rows and columns are those of `touchpoints.TRANSITIONS`.
    """
    moved = company.drift * quarter / (QUARTERS - 1)
    newer = np.eye(_K + 2)
    for old, new in NEWER_CHANNELS.items():
        place, towards = TOUCHPOINTS.index(old), TOUCHPOINTS.index(new)
        newer[place, [place, towards]] = 1 - moved, moved
    return np.asarray(company.transitions @ newer)


def chain(company: Company, quarter: int) -> Chain:
    """Return the chain of a quarter (0 to 11)."""
    first = first_order(company, quarter)
    states = np.arange(_START)
    before, present = states // _K, states % _K
    memory = np.where(before > 0, company.memory, 0.0)
    rows = np.vstack([first[present + 1] * (1 - memory)[:, None], first[:1]])
    rows[states[before > 0], before[before > 0] - 1] += company.memory
    return Chain(rows[:, :_K], rows[:, _K], rows[:, _K + 1])


def channel_shares(company: Company, quarter: int) -> dict[str, Numbers]:
    """Share of the channels through which each touchpoint is reached in a quarter."""
    moved = company.drift * quarter / (QUARTERS - 1)
    shares = {}
    for touchpoint, channels in CHANNELS.items():
        share = np.array(CHANNEL_SHARES.get(touchpoint, (1.0,)))
        newest = np.zeros(len(channels))
        newest[-1] = 1.0
        shares[touchpoint] = share if len(share) == 1 else (1 - moved) * share + moved * newest
    return shares


def walk(
    rng: np.random.Generator,
    tables: NDArray[np.float64],
    quarter: NDArray[np.integer],
    ending: NDArray[np.integer],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw journeys of which quarter and ending are given.

    Parameters
    ----------
    rng : numpy.random.Generator
        Chance.
    tables : numpy.ndarray, shape (quarters, 10, 91, 10)
        `given_endings` of each quarter.
    quarter, ending : numpy.ndarray, shape (journeys,)
        Which chain each journey follows, and a touchpoint or `NOTHING`.

    Returns
    -------
    tuple
        The journey of each touch, in order, and its touchpoint.
    """
    alive = np.arange(len(ending))
    state = np.full(len(ending), _START)
    journeys: list[NDArray[np.intp]] = []
    touches: list[NDArray[np.intp]] = []
    while len(alive):
        edges = tables[quarter[alive], ending[alive], state]
        # Rounding may leave the last edge a hair below 1.
        chosen = (rng.random((len(alive), 1)) >= edges[:, :-1]).sum(axis=1)
        go = chosen < _K
        alive, state, chosen = alive[go], state[go], chosen[go]
        state = _next_states()[state, chosen]
        journeys.append(alive)
        touches.append(chosen)
    journey = np.concatenate([np.empty(0, np.intp), *journeys])
    order = np.argsort(journey, kind="stable")
    return journey[order], np.concatenate([np.empty(0, np.intp), *touches])[order]


def truth_of_journeys(company: Company, quarter: int = 0) -> pd.DataFrame:
    """Work out what the removal of each touchpoint and channel costs in a quarter.

    The removal effect of Anderl et al. (2016), by the formula for absorbing chains: the
    share of purchases lost when every journey that meets the touchpoint (or meets it
    through the channel) ends there in nothing.

    Returns
    -------
    pandas.DataFrame
        One row per touchpoint and per channel: `kind`, `name`, `conversion_rate` of all
        journeys, `without_rate`, `removal_effect`.
    """
    now = chain(company, quarter)
    everything = now.conversion()
    shares = channel_shares(company, quarter)
    removals = [("touchpoint", t, place, 1.0) for place, t in enumerate(TOUCHPOINTS)]
    removals += [
        ("channel", channel, place, float(share))
        for place, touchpoint in enumerate(TOUCHPOINTS)
        for channel, share in zip(CHANNELS[touchpoint], shares[touchpoint], strict=True)
    ]
    rows = []
    for kind, name, place, share in removals:
        stay = np.ones(_K)
        stay[place] -= share
        without = now.conversion(stay)
        rows.append((kind, name, everything, without, 1 - without / everything))
    columns = ["kind", "name", "conversion_rate", "without_rate", "removal_effect"]
    return pd.DataFrame(rows, columns=columns)


def _next_states() -> NDArray[np.intp]:
    """Return the state after each state (row) and next touchpoint (column)."""
    present = np.append(np.arange(_START) % _K + 1, 0)
    return np.asarray(present[:, None] * _K + np.arange(_K))
