"""Cox regressions with a known truth: hazard ratios, shares, clusters, periods, time ratios.

Times are continuous and counted in whole weeks, so that many events share one. `cox_cases` gives
methods, settings, truths and simulations as `calibrate.py` takes them, for samples of one size.

    python benchmarks/calibrate_cox.py [REPETITIONS]
"""

import sys
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cxlab.stats.accelerated import accelerated
from cxlab.stats.cox import (
    absolute_risk,
    cox,
    cox_by_period,
    predicted_survival,
    proportional_hazards,
)
from cxlab.stats.intervals import Interval

__all__ = ["cox_cases", "false_alarms", "power"]

Simulation = Callable[[np.random.Generator], Interval]
Floats = NDArray[np.float64]

SIZES = (200, 1000)
LIKENESS = 0.6  # correlation of the fates of one person's episodes
WEEKS = 52.0
MEAN_WEEKS = 40.0
RATES = (1 / 40, 1 / 80)  # of two causes, a week
COEF = (0.7, -0.4)  # of a level that 30 % have, and of a score with mean 0 and variance 1


def cox_cases(size: int) -> Iterator[tuple[str, str, float, Simulation]]:
    """Yield method, setting, truth and simulation for samples of one size."""
    for j, coef in enumerate(COEF):
        yield "hazard ratio", f"{coef}", float(np.exp(coef)), _hazard_ratio(size, j)
    yield "hazard ratio, clusters", f"{COEF[0]}", float(np.exp(COEF[0])), _clustered(size)
    for share in (0.3, 0.7):
        yield "predicted share", f"{share}", share, _predicted(size, share, clusters=False)
        yield "predicted share, clusters", f"{share}", share, _predicted(size, share, clusters=True)
    for clusters in (False, True):
        for cause in (0, 1):
            method = "absolute risk" + ", clusters" * clusters
            yield method, f"cause {cause + 1}", _risks()[cause], _absolute(size, cause, clusters)
    yield "hazard ratio after a cut", "0.7, then -0.2", float(np.exp(-0.2)), _after(size)
    yield "change at a cut", "0.7, then -0.2", float(np.exp(-0.9)), _change(size)
    yield "time ratio, Weibull", "0.5", float(np.exp(0.5)), _stretched(size)
    yield "median time, Weibull", "0.5", float(20 * np.exp(0.5)), _median_time(size)


def false_alarms(size: int, *, repetitions: int) -> pd.DataFrame:
    """How often ratios that stay the same are said to change, at 5 %: transform, rate."""
    return _alarms(size, repetitions, lambda rng: _people(rng, size))


def power(size: int, *, repetitions: int) -> pd.DataFrame:
    """How often a ratio that turns after half a year is said to change: transform, rate."""
    return _alarms(size, repetitions, lambda rng: _turning(rng, size))


def _alarms(
    size: int, repetitions: int, made: Callable[[np.random.Generator], pd.DataFrame]
) -> pd.DataFrame:
    transforms = ("km", "identity", "log", "rank")
    rng = np.random.default_rng(zlib.crc32(f"proportional/{size}".encode()))
    called = np.zeros((len(transforms), 2))
    for _ in range(repetitions):
        people = made(rng)
        fit = cox(people[["level", "score"]], people["stop"], people["event"])
        for i, transform in enumerate(transforms):
            p = proportional_hazards(fit, transform=transform).table()["p_value"]
            called[i] += p.iloc[0] < 0.05, p.iloc[-1] < 0.05
    rates = called / repetitions
    return pd.DataFrame({"transform": transforms, "level": rates[:, 0], "global": rates[:, 1]})


def _hazard_ratio(n: int, which: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        people = _people(rng, n)
        fit = cox(people[["level", "score"]], people["stop"], people["event"])
        return fit.hazard_ratio(fit.names[which])

    return simulate


def _clustered(n: int) -> Simulation:
    """Three episodes of each person, whose fates resemble each other."""

    def simulate(rng: np.random.Generator) -> Interval:
        people = _episodes(rng, n)
        fit = cox(people[["level"]], people["stop"], people["event"], cluster=people["person"])
        return fit.hazard_ratio("level")

    return simulate


def _predicted(n: int, share: float, *, clusters: bool) -> Simulation:
    """Share of those with the level that are left after the week at which it is `share`."""
    # Whole weeks: the nearest at which about so many are left, and a rate that makes it so.
    week = 30

    def simulate(rng: np.random.Generator) -> Interval:
        rate = -np.log(share) / week / np.exp(COEF[0])
        if clusters:
            people = _episodes(rng, n, rate=rate)
            cluster = people["person"]
        else:
            people, cluster = _people(rng, n, rate=rate, coef=(COEF[0], 0.0)), None
        fit = cox(people[["level"]], people["stop"], people["event"], cluster=cluster)
        row = predicted_survival(fit, [[1]], [week]).loc[0]
        return Interval(
            estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=fit.n,
            method=fit.method,
        )  # fmt: skip

    return simulate


def _risks() -> list[float]:
    """Share of those with the level who have each of two events first in weeks 11 to 40."""
    rates = [rate * np.exp(coef) for rate, coef in zip(RATES, COEF, strict=True)]
    had = 1 - np.exp(-30 * sum(rates))
    return [float(had * rate / sum(rates)) for rate in rates]


def _absolute(n: int, cause: int, clusters: bool) -> Simulation:
    """That share, of those who had neither by week 10; the level multiplies both hazards."""

    def simulate(rng: np.random.Generator) -> Interval:
        many = 2 * n  # fewer may have no event of a cause at a level
        person = np.repeat(np.arange(many // 3), 3) if clusters else np.arange(many)
        level = (rng.random(person[-1] + 1) < 0.3).astype(float)[person]
        times = [
            -np.log(ndtr(_fates(rng, person))) / (rate * np.exp(coef * level))
            for rate, coef in zip(RATES, COEF, strict=True)
        ]
        people = _counted(rng, np.minimum(*times)).assign(level=level)
        own = times[0] < times[1]
        cluster = person if clusters else None
        fits = {
            name: cox(people[["level"]], people["stop"], people["event"] * is_it, cluster=cluster)
            for name, is_it in (("0", own), ("1", ~own))
        }
        row = absolute_risk(fits, [[1]], [30], after=[10]).loc[cause]
        return Interval(
            estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=n, method="",
        )  # fmt: skip

    return simulate


def _after(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        people = _turning(rng, 4 * n)  # fewer may have no event of a level in a period
        fit = cox_by_period(people[["level"]], people["stop"], people["event"], cuts=[26])
        return fit.hazard_ratio("level after 26")

    return simulate


def _change(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        people = _turning(rng, 4 * n)  # fewer may have no event of a level in a period
        fit = cox_by_period(people[["level"]], people["stop"], people["event"], cuts=[26])
        return fit.contrast({"level after 26": 1, "level until 26": -1})

    return simulate


def _stretched(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        row = _weibull(rng, n).table().loc[0]
        return Interval(
            estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=n, method=""
        )

    return simulate


def _median_time(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        row = _weibull(rng, n).quantile([[1]]).loc[0]
        return Interval(
            estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=n, method=""
        )

    return simulate


def _people(
    rng: np.random.Generator,
    n: int,
    *,
    rate: float = 1 / MEAN_WEEKS,
    coef: tuple[float, float] = COEF,
) -> pd.DataFrame:
    """One row per person: level, score, stop in whole weeks, event; followed for up to a year."""
    level = (rng.random(n) < 0.3).astype(float)
    score = rng.choice([-1.0, 1.0], n)
    hazard = rate * np.exp(coef[0] * level + coef[1] * score)
    return _counted(rng, -np.log(rng.random(n)) / hazard).assign(level=level, score=score)


def _episodes(rng: np.random.Generator, n: int, *, rate: float = 1 / MEAN_WEEKS) -> pd.DataFrame:
    """Three rows per person; hazards are proportional, fates linked by a normal copula."""
    person = np.repeat(np.arange(n // 3), 3)
    level = (rng.random(n // 3) < 0.3).astype(float)[person]
    fate = _fates(rng, person)
    hazard = rate * np.exp(COEF[0] * level)
    return _counted(rng, -np.log(ndtr(fate)) / hazard).assign(level=level, person=person)


def _fates(rng: np.random.Generator, person: NDArray[np.int64]) -> Floats:
    """Normal numbers that are alike within a person."""
    shared = rng.normal(size=person[-1] + 1)[person]
    own = rng.normal(size=len(person))
    return np.sqrt(LIKENESS) * shared + np.sqrt(1 - LIKENESS) * own


def _turning(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """As `_people`, but the level's log hazard ratio is 0.7 until week 26, and -0.2 after."""
    level = (rng.random(n) < 0.3).astype(float)
    score = rng.choice([-1.0, 1.0], n)
    early, late = (np.exp(coef * level) / MEAN_WEEKS for coef in (0.7, -0.2))
    need = -np.log(rng.random(n))
    time = np.where(need < 26 * early, need / early, 26 + (need - 26 * early) / late)
    return _counted(rng, time).assign(level=level, score=score)


def _counted(rng: np.random.Generator, time: Floats) -> pd.DataFrame:
    """Watch until the year's end, or the end of a random week before."""
    end = np.ceil(np.minimum(rng.random(len(time)) * 2 * WEEKS, WEEKS))
    stop = np.minimum(np.ceil(time), end)
    return pd.DataFrame({"stop": stop, "event": (np.ceil(time) <= end).astype(int)})


def _weibull(rng: np.random.Generator, n: int):  # type: ignore[no-untyped-def]
    """Times in fractions of a week, median 20 weeks without the level, shape 1.5."""
    level = (rng.random(n) < 0.3).astype(float)
    time = 20 * np.exp(0.5 * level) * (-np.log(rng.random(n)) / np.log(2)) ** (1 / 1.5)
    end = np.minimum(rng.random(n) * 2 * WEEKS, WEEKS)
    return accelerated(level, np.minimum(time, end), (time <= end).astype(int))


def main(repetitions: int = 2000) -> int:
    """Print coverage of each case and alarms of the test; tell whether all keep their promise."""
    from calibrate import Case, calibrate, limits

    tried = [Case(m, n, s, t, run) for n in SIZES for m, s, t, run in cox_cases(n)]
    covered = calibrate(repetitions=repetitions, tried=tried)
    low, high = limits(repetitions)
    covered["kept"] = covered["coverage"].between(low, high)
    print(covered.to_string(index=False))
    alarms = pd.concat(false_alarms(n, repetitions=repetitions).assign(n=n) for n in SIZES)
    print(alarms.to_string(index=False))
    most = 1 - low
    kept = bool((alarms[["level", "global"]] <= most).all(axis=None))
    return int(not (covered["kept"].all() and kept))


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:])))
