"""Do 95 % intervals hold the truth 95 % of the time?

Data with a known truth are made again and again, and it is counted how often the
interval holds it. `make calibrate` runs this with 2,000 repetitions; the tests run 200.

    python benchmarks/calibrate.py [REPETITIONS]
"""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from calibrate_funnels import funnel_cases
from numpy.typing import NDArray
from scipy.special import bdtr

from cxlab.journeys.paths.credit import MODELS, PARTS, Credits, resampled
from cxlab.stats.chains import removal_effects
from cxlab.stats.clusters import ClusterSums, cluster_mean, effective_n
from cxlab.stats.differences import newcombe, nps_difference
from cxlab.stats.divergence import js_distance, shift_of_shares
from cxlab.stats.intervals import Interval, t_mean, wilson
from cxlab.stats.promoters import nps_adjusted_wald
from cxlab.stats.resampling import PATTERN, bootstrap_change

Simulation = Callable[[np.random.Generator], Interval]

SIZES = (50, 200, 1000)
SHARES = (0.5, 0.7, 0.8, 0.9)
PROMOTERS = ((0.4, 0.3), (0.6, 0.15), (0.75, 0.05))  # promoters, detractors
SCORES = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
SCORE_SHARES = np.array([0.1, 0.04, 0.08, 0.2, 0.58])  # satisfaction leans to the top
LIKENESS = 0.6  # how often a customer's second answer repeats the first
# From the start and from three channels to each channel, to a purchase and to nothing.
WAYS = np.array(
    [[0.5, 0.3, 0.2, 0, 0], [0.1, 0.3, 0.1, 0.2, 0.3], [0.2, 0, 0.3, 0.1, 0.4],
     [0.1, 0.2, 0, 0.4, 0.3]]
)  # fmt: skip
FLOOR = 0.92  # of a single truth; discrete data cannot do better everywhere


@dataclass(frozen=True)
class Case:
    """One method at one size and one truth."""

    method: str
    n: int
    setting: str
    truth: float
    simulate: Simulation


def cases() -> Iterator[Case]:
    """List what is tried: each method on a grid of sizes and truths."""
    for n in SIZES:
        for share in SHARES:
            yield Case("Wilson", n, f"{share}", share, _wilson(n, share))
            yield Case("Newcombe", n, f"{share} - 0.7", share - 0.7, _newcombe(n, share))
            gap = share - 0.8
            yield Case("cluster bootstrap change", n, f"{share} - 0.8", gap, _linked(n, share))
            yield Case("Wilson, effective n", n, f"{share}", share, _repeated(n, share))
        for up, down in PROMOTERS:
            score = 100 * (up - down)
            yield Case("adjusted Wald NPS", n, f"{up} - {down}", score, _score(n, up, down))
            yield Case("NPS change", n, f"{up} - {down}", score - 10, _score_change(n, up, down))
        effects = removal_effects(WAYS)
        truth = float(effects[0])
        yield Case("removal effect", n, "first channel", truth, _credited(n, 0, share=False))
        truth = float(effects[2] / effects.sum())
        yield Case("Markov credit", n, "third channel", truth, _credited(n, 2, share=True))
        mean = float(SCORES @ SCORE_SHARES)
        yield Case("t mean", n, "skewed 1 to 5", mean, _mean(n))
        yield Case("t mean, clusters", n, "skewed 1 to 5", mean, _clustered_mean(n))


def cases_of_funnels() -> Iterator[Case]:
    """List what is tried of funnels; slower, so that the tests run a few of them."""
    for n in SIZES:
        for method, setting, truth, simulate in funnel_cases(n):
            yield Case(method, n, setting, truth, simulate)


def coverage(case: Case, *, repetitions: int) -> float:
    """Share of repetitions whose interval holds the truth; the seed is the case's name."""
    name = f"{case.method}/{case.n}/{case.setting}"
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    slack = 1e-9  # an end that equals the truth holds it, whatever the rounding
    held = 0
    for _ in range(repetitions):
        found = case.simulate(rng)
        held += found.low - slack <= case.truth <= found.high + slack
    return held / repetitions


def calibrate(*, repetitions: int, tried: Iterable[Case] | None = None) -> pd.DataFrame:
    """Coverage of every case: method, n, setting, coverage."""
    rows = [
        (case.method, case.n, case.setting, coverage(case, repetitions=repetitions))
        for case in (cases() if tried is None else tried)
    ]
    return pd.DataFrame(rows, columns=["method", "n", "setting", "coverage"])


DRIFTS = ((60, 0.0), (300, 0.0), (1_000, 0.0), (300, 0.06))  # people, share that moved


def drift_calibration(
    *, repetitions: int, draws: int = 999, drifts: tuple[tuple[int, float], ...] = DRIFTS
) -> pd.DataFrame:
    """How often the drift of a map is called where there is none, and its interval's coverage."""
    rows = []
    for people, moved in drifts:
        rng = np.random.default_rng(zlib.crc32(f"drift/{people}/{moved}".encode()))
        told = np.zeros((repetitions, 4))
        for i in range(repetitions):
            before, now, truth = drifting(rng, people=people, moved=moved)
            gap = now / now.sum() - before / before.sum()
            found = shift_of_shares(
                before.sum(axis=0),
                now.sum(axis=0),
                gap.T @ gap,
                people=len(now),
                seed=i,
                draws=draws,
            )
            held = found.low - 1e-9 <= truth <= found.high + 1e-9
            told[i] = found.p < 0.05, held, found.distance, found.expected
        rows.append((people, moved, *told.mean(axis=0)))
    columns = ["people", "moved", "rejected", "coverage", "distance", "expected"]
    return pd.DataFrame(rows, columns=columns)


def drifting(
    rng: np.random.Generator, *, people: int, moved: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Counts of eight kinds by person before and now, half of them there in both; true distance.

    Each has a taste of their own, so that their contacts resemble each other. A share `moved`
    of the first kind becomes the last one.
    """
    usual = np.arange(8, 0, -1) / 36.0
    later = usual.copy()
    later[[0, -1]] += -moved, moved
    there = rng.random(people)
    counts = []
    taste = rng.dirichlet(5 * usual, size=people)
    for here, share in ((there < 0.75, usual), (there > 0.25, later)):
        # The same taste where nothing moved: what a person does twice is alike.
        own = taste if share is usual or not moved else rng.dirichlet(5 * share, size=people)
        many = np.where(here, rng.geometric(0.3, people), 0)
        counts.append(rng.multinomial(many, own).astype(float))
    met = (counts[0] + counts[1]).sum(axis=1) > 0
    return counts[0][met], counts[1][met], float(js_distance(usual, later))


def limits(repetitions: int, *, truth: float = 0.95) -> tuple[float, float]:
    """Coverage that a perfect interval stays within 99.9 % of the time."""
    held = np.arange(repetitions + 1)
    below = bdtr(held, repetitions, truth)  # P(X <= held)
    low = held[below >= 0.0005][0]
    high = held[below >= 0.9995][0]
    return float(low) / repetitions, float(high) / repetitions


def main(repetitions: int = 2000) -> int:
    """Print the table; fail where a method's mean coverage leaves the limits."""
    found = calibrate(repetitions=repetitions, tried=chain(cases(), cases_of_funnels()))
    low, high = limits(repetitions)
    print(f"{repetitions} repetitions; limits {low:.4f} to {high:.4f}; floor {FLOOR}\n")
    print(found.to_string(index=False, float_format="{:.4f}".format))
    summary = found.groupby(["method", "n"])["coverage"].agg(["mean", "min"])
    summary["holds"] = summary["mean"].between(low, high) & (summary["min"] >= FLOOR)
    print("\nMean and least coverage over the grid\n")
    print(summary.to_string(float_format="{:.4f}".format))
    drifts = drift_calibration(repetitions=repetitions)
    most = limits(repetitions, truth=0.05)[1]
    drifts["holds"] = (drifts["coverage"] >= low) & (
        (drifts["moved"] > 0) | (drifts["rejected"] <= most)
    )
    print(f"\nDrift of a map: called without any at most {most:.4f}, interval at least {low:.4f}\n")
    print(drifts.to_string(index=False, float_format="{:.4f}".format))
    return 0 if summary["holds"].all() and drifts["holds"].all() else 1


def _wilson(n: int, share: float) -> Simulation:
    return lambda rng: wilson(int(rng.binomial(n, share)), n)


def _newcombe(n: int, share: float) -> Simulation:
    return lambda rng: newcombe(int(rng.binomial(n, share)), n, int(rng.binomial(n, 0.7)), n)


def _score(n: int, up: float, down: float) -> Simulation:
    return lambda rng: nps_adjusted_wald(*_groups(rng, n, up, down)).clip(-100, 100)


def _score_change(n: int, up: float, down: float) -> Simulation:
    # Before, 40 % were promoters and 30 % detractors.
    return lambda rng: nps_difference(_groups(rng, n, up, down), _groups(rng, n, 0.4, 0.3))


def _groups(rng: np.random.Generator, n: int, up: float, down: float) -> tuple[float, float, float]:
    promoters, passives, detractors = rng.multinomial(n, [up, 1 - up - down, down])
    return float(promoters), float(passives), float(detractors)


def _mean(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        values = rng.choice(SCORES, n, p=SCORE_SHARES)
        return t_mean(n, float(values.sum()), float(values @ values))

    return simulate


def _clustered_mean(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        answers = rng.integers(1, 4, n)
        return cluster_mean(_sums(answers, _alike(rng, answers, SCORE_SHARES) @ SCORES))

    return simulate


def _repeated(n: int, share: float) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        answers = rng.integers(1, 4, n)
        sums = _sums(answers, _alike(rng, answers, np.array([1 - share, share]))[:, 1])
        size = effective_n(sums, sums.mean * (1 - sums.mean))
        return wilson(sums.total, sums.n, n_eff=size)

    return simulate


def _alike(
    rng: np.random.Generator, answers: NDArray[np.int64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Answers of each kind per customer; each repeats the first with the same chance."""
    kinds = len(shares)
    first = rng.choice(kinds, len(answers), p=shares)
    counts = np.zeros((len(answers), kinds))
    for turn in range(int(answers.max())):
        again = (rng.random(len(answers)) < LIKENESS) | (turn == 0)
        given = np.where(again, first, rng.choice(kinds, len(answers), p=shares))
        counts[np.arange(len(answers)), given] += answers > turn
    return counts


def _sums(answers: NDArray[np.int64], totals: NDArray[np.float64]) -> ClusterSums:
    n = answers.astype(np.float64)
    return ClusterSums(
        customers=len(n), n=float(n.sum()), total=float(totals.sum()), n_n=float(n @ n),
        n_total=float(n @ totals), total_total=float(totals @ totals),
    )  # fmt: skip


def _linked(n: int, share: float) -> Simulation:
    """Two cycles of n customers; half of them answer in both, much alike."""

    def simulate(rng: np.random.Generator) -> Interval:
        both = n // 2
        mood = rng.random((2, both))
        mood[1] = np.where(rng.random(both) < LIKENESS, mood[0], mood[1])
        pair = 2 * (mood[0] < share) + (mood[1] < 0.8)  # now, before
        counts = np.bincount(pair, minlength=4)
        rows = [
            (1, now, 1, before, counts[2 * now + before]) for now in (0, 1) for before in (0, 1)
        ]
        for place, chance in ((0, share), (1, 0.8)):
            hits = int(rng.binomial(n - both, chance))
            for total, customers in ((1, hits), (0, n - both - hits)):
                rows.append(
                    (1, total, 0, 0, customers) if place == 0 else (0, 0, 1, total, customers)
                )
        patterns = pd.DataFrame(rows, columns=list(PATTERN))
        patterns = patterns[patterns["customers"] > 0]
        return bootstrap_change(patterns, seed=int(rng.integers(2**31)), draws=1_000)

    return simulate


def _credited(n: int, channel: int, *, share: bool) -> Simulation:
    """Journeys of n persons, some of whom have two, mostly alike."""

    def simulate(rng: np.random.Generator) -> Interval:
        size = len(WAYS) - 1
        known = Credits(
            # The other models are not asked for; any credits will do.
            sums=np.ones((len(MODELS) - 1, size, PARTS)), moves=_walked(n, rng),
            people=np.empty(0), stays=0, alone=0,
        )  # fmt: skip
        credit, effect = resampled(known, draws=500, seed=int(rng.integers(2**31)))
        at = (MODELS.index("Markov"), channel)
        found, place = (credit, at) if share else (effect, at[1:])
        low, high = float(found.low[place]), float(found.high[place])
        return Interval(
            estimate=float(found.estimate[place]), low=low, high=high, n=n, method="bootstrap"
        )

    return simulate


def _walked(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Walk from the start to an end; count moves by part of the person."""
    size = len(WAYS) - 1
    moves = np.zeros((size + 1, size + 2, PARTS))
    part = rng.integers(0, PARTS, n)
    again = 1 + (rng.random(n) < 0.5) * (rng.random(n) < LIKENESS)  # walks that are alike
    other = rng.choice(n, n // 4, replace=False)  # and a quarter with another one
    for parts, weight in ((part, again), (part[other], np.ones(len(other)))):
        at, walking = np.zeros(len(parts), dtype=np.int64), np.arange(len(parts))
        while len(walking):
            edges = WAYS[at].cumsum(axis=1)[:, :-1]
            to = (rng.random((len(at), 1)) >= edges).sum(axis=1)
            np.add.at(moves, (at, to, parts[walking]), weight[walking])
            going = to < size
            at, walking = to[going] + 1, walking[going]
    return moves


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in sys.argv[1:2]]))
