"""Funnels with a known truth, for `calibrate.py`: rates, changes, splits and curves.

People are made, not logs: what is counted of them is what the engine counts of a log
(tests/journeys/test_funnel_oracle.py), and a thousand times as fast.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.journeys.funnels.both_cycles import BothCycles
from cxlab.journeys.funnels.changes import difference
from cxlab.journeys.funnels.rates import StepCounts
from cxlab.stats.intervals import Interval
from cxlab.stats.rate_and_mix import rate_and_mix
from cxlab.stats.survival import product_limit

__all__ = ["funnel_cases"]

Simulation = Callable[[np.random.Generator], Interval]
Counts = NDArray[np.int64]  # arrivals, shape (people, steps)
Groups = tuple[tuple[float, float], ...]

LIKENESS = 0.6  # how often a person's later visit goes like the first
# Weight and rate of each of three groups.
NOW = ((0.5, 0.4), (0.3, 0.25), (0.2, 0.1))
BEFORE = ((0.3, 0.45), (0.3, 0.25), (0.4, 0.15))
SAME = ((0.4, 0.4), (0.4, 0.25), (0.2, 0.1))
WAYS = ((0.8, 0.5), (0.5, 0.2))  # share that goes on at each step


def funnel_cases(size: int) -> Iterator[tuple[str, str, float, Simulation]]:
    """Yield method, setting, truth and simulation for samples of one size."""
    for way in WAYS:
        yield "conversion", f"{way}", way[0] * way[1], _conversion(size, way)
        yield "step rate, sessions", f"{way}", way[1], _step_rate(size, way)
        worse = (way[0], way[1] - 0.1)
        yield "step change, shared people", f"{way}", 0.1, _step_change(size, way, worse)
    for now, before in ((NOW, BEFORE), (NOW, SAME)):
        rate, mix = _true_parts(now, before)
        yield "rate effect", f"{before}", rate, _part(size, now, before, "rate")
        yield "mix effect", f"{before}", mix, _part(size, now, before, "mix")
    for at in (0.1, 0.5, 1.0):
        for share in (0.15, 0.4):
            truth = share * (1 - np.exp(-3 * at))
            yield "curve", f"{share} by {at}", truth, _curve(size, share, at, visits=1)
            yield "curve, sessions", f"{share} by {at}", truth, _curve(size, share, at, visits=3)


def _conversion(n: int, way: tuple[float, ...]) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        return _counted(_walk(rng, np.ones(n, dtype=np.int64), way)).of_entrants(2)

    return simulate


def _step_rate(n: int, way: tuple[float, ...]) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        found = _counted(_walk(rng, rng.integers(1, 4, n), way)).of_before(2)
        assert found is not None
        return found

    return simulate


def _step_change(n: int, way: tuple[float, ...], before: tuple[float, ...]) -> Simulation:
    """Half of the people come in both cycles, and go much the same way."""

    def simulate(rng: np.random.Generator) -> Interval:
        both = n // 2
        luck = rng.random((2, both, 2))
        luck[1] = np.where(rng.random((both, 1)) < LIKENESS, luck[0], luck[1])
        sides = []
        for chances, mine in zip((way, before), luck, strict=True):
            shared = np.cumprod(mine < np.array(chances), axis=1)
            others = _walk(rng, np.ones(n - both, dtype=np.int64), chances)
            sides.append(np.vstack([np.c_[np.ones(both, dtype=np.int64), shared], others]))
        now, then = (_counted(arrivals) for arrivals in sides)
        products = {
            (i, j): float(sides[0][:both, i - 1] @ sides[1][:both, j - 1])
            for i in (2, 3) for j in (2, 3)
        }  # fmt: skip
        tie = BothCycles(people=both, products=products)
        rates = now.of_before(2), then.of_before(2)
        assert None not in rates
        return difference(*rates, tie.correlation(now, then, 2))

    return simulate


def _part(n: int, now: Groups, before: Groups, which: str) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        cells = {"group": range(len(now))}
        for groups, end in ((now, ""), (before, "_before")):
            weight, rate = np.array(groups).T
            size = rng.multinomial(n, weight)
            cells |= {f"n{end}": size, f"total{end}": rng.binomial(size, rate)}
        found: Interval = getattr(rate_and_mix(pd.DataFrame(cells)), which)
        return found

    return simulate


def _true_parts(now: Groups, before: Groups) -> tuple[float, float]:
    (w, r), (w_then, r_then) = np.array(now).T, np.array(before).T
    return float((w + w_then) / 2 @ (r - r_then)), float((w - w_then) @ (r + r_then) / 2)


def _curve(n: int, share: float, at: float, *, visits: int) -> Simulation:
    """Entries evenly over five windows; conversion after an exponential third of one.

    With several visits a person's later ones often go like the first.
    """

    def simulate(rng: np.random.Generator) -> Interval:
        shape = (n, visits)
        again = (rng.random(shape) < LIKENESS) | (np.arange(visits) == 0)
        fate = np.where(rng.random(shape) < share, rng.exponential(1 / 3, shape), np.inf)
        fate = np.where(again, fate[:, :1], fate)
        watched = np.minimum(1.0, rng.uniform(0, 5, shape))  # until the data or the window end
        converted = fate <= watched
        units = np.minimum(np.floor(np.minimum(fate, watched) * 200) + 1, 200) / 200
        mature = watched >= 1
        people = mature.any(axis=1)
        entries = mature.sum(axis=1)[people]
        bought = (converted & mature).sum(axis=1)[people]
        effect = _counted(np.c_[entries, bought]).design_effect
        curve = product_limit(
            units.ravel(), converted.ravel(), ~converted.ravel(), design_effect=effect
        )
        row = curve.incidence([at]).iloc[0]
        return Interval(
            estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=curve.n,
            method=curve.method,
        )  # fmt: skip

    return simulate


def _walk(rng: np.random.Generator, visits: Counts, way: tuple[float, ...]) -> Counts:
    """Arrivals of each person at each step; a later visit often goes like the first."""
    arrivals = np.zeros((len(visits), 1 + len(way)), dtype=np.int64)
    first = rng.random((len(visits), len(way)))
    for turn in range(int(visits.max())):
        again = (rng.random((len(visits), 1)) < LIKENESS) | (turn == 0)
        luck = np.where(again, first, rng.random(first.shape))
        got = np.c_[np.ones(len(visits), dtype=np.int64), np.cumprod(luck < np.array(way), axis=1)]
        arrivals += got * (visits > turn)[:, np.newaxis]
    return arrivals


def _counted(arrivals: Counts) -> StepCounts:
    """Sum up people as the engine does."""
    before = np.maximum(np.arange(arrivals.shape[1]) - 1, 0)
    return StepCounts(
        steps=pd.DataFrame(
            {
                "step": [f"step {i}" for i in range(arrivals.shape[1])],
                "is_optional": False,
                "before": before - (np.arange(len(before)) == 0),
                "n": arrivals.sum(axis=0),
                "persons": (arrivals > 0).sum(axis=0),
                "n_total": arrivals[:, 0] @ arrivals,
                "total_total": (arrivals**2).sum(axis=0),
                "before_total": (arrivals * arrivals[:, before]).sum(axis=0),
            }
        )
    )
