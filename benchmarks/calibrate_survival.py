"""Times to an event with a known truth: curves, restricted means, incidences, predictions.

    python benchmarks/calibrate_survival.py [REPETITIONS]

Times are exponential and counted in hundredths, so that many tie; watching ends evenly between
0.3 and 3 mean times.
"""

import sys
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.stats.intervals import Interval
from cxlab.stats.survival import (
    SurvivalCurve,
    brier_scores,
    calibration,
    compare_incidence,
    compare_restricted_means,
    concordance,
    cumulative_incidence,
    dynamic_auc,
    log_rank,
    product_limit,
    restricted_mean,
    share_difference,
)

__all__ = ["null_tests", "rejections", "survival_cases"]

Simulation = Callable[[np.random.Generator], Interval]
Test = Callable[[np.random.Generator], float]  # its p-value, where there is nothing to find
Floats = NDArray[np.float64]

SIZES = (50, 200, 1000)
UNIT = 100  # of the mean time; the truth is that of whole units
RIVAL = 0.5  # hazard of the other cause, next to 1


def survival_cases(n: int) -> Iterator[tuple[str, str, float, Simulation]]:
    """Yield method, setting, truth and simulation for samples of one size."""
    for share in (0.8, 0.5, 0.3):
        at = _whole(-np.log(share))
        yield "S(t)", f"{share}", np.exp(-at), _curve(n, lambda x, t=at: x.share_at(t))
    median = (np.floor(np.log(2) * UNIT) + 1) / UNIT  # first unit by which half are gone
    yield "median", "", median, _curve(n, lambda x: x.quantile())
    for horizon in (0.5, 1.5):
        area, faster = _area(1.0, horizon), _area(1.5, horizon)
        yield "RMST", f"{horizon}", area, _curve(n, lambda x, t=horizon: restricted_mean(x, t))
        for what, truth in (
            ("difference", area - faster), ("ratio", area / faster),
            ("lost_ratio", (horizon - area) / (horizon - faster)),
        ):  # fmt: skip
            yield f"RMST {what}", f"{horizon}", truth, _means(n, horizon, what)
        gap = np.exp(-horizon) - np.exp(-1.5 * horizon)
        yield "S(t) difference", f"{horizon}", gap, _two(
            n, lambda x, y, t=horizon: share_difference(x, y, t)
        )  # fmt: skip
        part = 1 / (1 + RIVAL)
        had = part * (1 - np.exp(-(1 + RIVAL) * horizon))
        for error in ("aalen", "greenwood"):
            yield f"incidence, {error}", f"{horizon}", had, _incidence(n, horizon, error)
        lost = part * (horizon - _area(1 + RIVAL, horizon))
        yield "time lost to a cause", f"{horizon}", lost, _lost(n, horizon)
    c, auc = _true_order(until=1.5, at=1.0)
    yield "Uno's C", "until 1.5", c, _ordered(n)
    yield "AUC(t)", "1.0", auc, _told_apart(n)
    yield "Brier difference", "1.0", _true_gap(), _judged(n)
    yield "observed over expected", "1.0", 1.0, _on_average(n)


def null_tests(n: int) -> Iterator[tuple[str, Test]]:
    """Yield tests of two groups, or of three, between which there is no difference."""
    for weighting in ("log-rank", "gehan-breslow", "tarone-ware", "peto-peto"):
        yield weighting, _log_rank(n, groups=3, weighting=weighting)
    yield "log-rank, stratified", _log_rank(n, groups=2, weighting="log-rank", strata=True)
    yield "fleming-harrington (0, 1)", _log_rank(n, 2, weighting="fleming-harrington", p=0.0, q=1.0)
    yield "Gray's test", _gray(n, unlike=False)
    yield "Gray's test, unlike rivals", _gray(n, unlike=True)
    yield "RMST difference", _null_means(n)


def rejections(test: Test, name: str, *, repetitions: int) -> float:
    """Share of repetitions in which a test at 5 % finds what is not there."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return float(np.mean([test(rng) < 0.05 for _ in range(repetitions)]))


def main(repetitions: int = 2000) -> int:
    """Print coverage and rejections; fail where a method's mean leaves the limits."""
    from calibrate import FLOOR, Case, calibrate, limits

    cases = [Case(m, n, s, truth, f) for n in SIZES for m, s, truth, f in survival_cases(n)]
    found = calibrate(repetitions=repetitions, tried=cases)
    low, high = limits(repetitions)
    most = limits(repetitions, truth=0.05)[1]
    print(f"{repetitions} repetitions; limits {low:.4f} to {high:.4f}; floor {FLOOR}\n")
    print(found.to_string(index=False, float_format="{:.4f}".format))
    summary = found.groupby(["method", "n"])["coverage"].agg(["mean", "min"])
    summary["holds"] = summary["mean"].between(low, high) & (summary["min"] >= FLOOR)
    print("\nMean and least coverage over the grid\n")
    print(summary.to_string(float_format="{:.4f}".format))
    tests = pd.DataFrame(
        [
            (name, n, rejections(test, f"{name}/{n}", repetitions=repetitions))
            for n in SIZES
            for name, test in null_tests(n)
        ],
        columns=["test", "n", "rejected"],
    )
    tests["holds"] = tests["rejected"] <= most
    print(f"\nTests where there is nothing to find: at most {most:.4f}\n")
    print(tests.to_string(index=False, float_format="{:.4f}".format))
    return 0 if summary["holds"].all() and tests["holds"].all() else 1


def _whole(at: float) -> float:
    return round(at * UNIT) / UNIT


def _area(hazard: float, horizon: float) -> float:
    """Area under the curve of times that are rounded up to whole units."""
    steps = np.arange(round(horizon * UNIT)) / UNIT
    return float(np.exp(-hazard * steps).sum() / UNIT)


def _seen(rng: np.random.Generator, time: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Duration in whole units, and whether it ended with the event."""
    end = np.ceil(rng.uniform(0.3, 3, len(time)) * UNIT) / UNIT
    time = np.ceil(time * UNIT) / UNIT
    return np.minimum(time, end), time <= end


def _made(rng: np.random.Generator, n: int, hazard: float = 1.0) -> SurvivalCurve:
    time, event = _seen(rng, rng.exponential(1 / hazard, n))
    # Some are watched for as long as anybody asks, so that the curve always reaches.
    return product_limit(np.r_[time, 3.0], np.r_[event, False], np.r_[~event, 1e-9])


def _curve(n: int, ask: Callable[[SurvivalCurve], Interval]) -> Simulation:
    return lambda rng: ask(_made(rng, n))


def _two(n: int, ask: Callable[[SurvivalCurve, SurvivalCurve], Interval]) -> Simulation:
    return lambda rng: ask(_made(rng, n), _made(rng, n, 1.5))


def _means(n: int, horizon: float, what: str) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        found: Interval = getattr(
            compare_restricted_means(_made(rng, n), _made(rng, n, 1.5), horizon), what
        )
        return found

    return simulate


def _causes(
    rng: np.random.Generator, n: int, rival: float = RIVAL
) -> tuple[Floats, dict[str, NDArray[np.bool_]], NDArray[np.bool_]]:
    time, event = _seen(rng, rng.exponential(1 / (1 + rival), n))
    own = rng.random(n) < 1 / (1 + rival)
    return time, {"own": event & own, "other": event & ~own}, ~event


def _incidence(n: int, horizon: float, error: str) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        time, events, censored = _reaching(*_causes(rng, n))
        found = cumulative_incidence(time, events, censored, error=error)  # type: ignore[arg-type]
        return found.share_at("own", horizon)

    return simulate


def _lost(n: int, horizon: float) -> Simulation:
    return lambda rng: cumulative_incidence(*_reaching(*_causes(rng, n))).mean_lost("own", horizon)


def _reaching(
    time: Floats, events: dict[str, NDArray[np.bool_]], censored: NDArray[np.bool_]
) -> tuple[Floats, dict[str, NDArray[np.bool_]], Floats]:
    longer = {name: np.r_[x, False] for name, x in events.items()}
    return np.r_[time, 3.0], longer, np.r_[censored, 1e-9]


def _log_rank(n: int, groups: int, *, strata: bool = False, **how: object) -> Test:
    def test(rng: np.random.Generator) -> float:
        layer = np.arange(n) % 4
        time, event = _seen(rng, rng.exponential(1 + layer * strata))
        group = rng.integers(0, groups, n)
        found = log_rank(
            time,
            event,
            ~event,
            group=group,
            strata=layer if strata else None,
            **how,  # type: ignore[arg-type]
        )
        return found.p_value

    return test


def _gray(n: int, *, unlike: bool) -> Test:
    """Two groups with one incidence of the event; that of the other may differ."""

    def test(rng: np.random.Generator) -> float:
        group = np.arange(n) % 2
        own = rng.random(n) < 0.5
        first = rng.exponential(1, n)
        rival = rng.exponential(np.where(unlike & (group == 1), 0.3, 1.0))
        time, event = _seen(rng, np.where(own, first, rival))
        found = compare_incidence(
            time, {"own": event & own, "other": event & ~own}, ~event, cause="own", group=group
        )
        return found.p_value

    return test


def _null_means(n: int) -> Test:
    return lambda rng: compare_restricted_means(_made(rng, n), _made(rng, n), 1.0).p_value


def _scored(rng: np.random.Generator, n: int) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Hazards of exp(score), scores normal."""
    score = rng.normal(size=n)
    time, event = _seen(rng, rng.exponential(np.exp(-score)))
    return time, event, score


def _true_order(*, until: float, at: float) -> tuple[float, float]:
    """C of events before a time, and AUC at a time, by sums over a fine grid of scores."""
    score = np.linspace(-6, 6, 1201)
    density = np.exp(-(score**2) / 2)
    density /= density.sum()
    hazard = np.exp(score)
    both = np.add.outer(hazard, hazard)
    # The earlier event is counted in whole units, and so are ties; they are few.
    first = hazard[:, np.newaxis] / both * (1 - np.exp(-both * until)) * np.outer(density, density)
    right = np.tri(len(score), k=-1) + np.eye(len(score)) / 2
    case, control = density * (1 - np.exp(-hazard * at)), density * np.exp(-hazard * at)
    auc = (right * np.outer(case, control)).sum() / (case.sum() * control.sum())
    return float((right * first).sum() / first.sum()), float(auc)


def _ordered(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        time, event, score = _scored(rng, n)
        return concordance(time, event, ~event, risk=score, weighting="uno", until=1.5 + 1e-9).c

    return simulate


def _told_apart(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        time, event, score = _scored(rng, n)
        return dynamic_auc(time, event, ~event, risk=score, times=[1.0])[0]

    return simulate


def _chances(rng: np.random.Generator, n: int) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Chances of an event by 1 that are right."""
    chance = rng.beta(2, 5, n)
    time, event = _seen(rng, rng.exponential(-1 / np.log1p(-chance)))
    return time, event, chance


def _true_gap() -> float:
    """Brier score of right chances less that of their mean: less the chances' variance."""
    return -2 * 5 / (7**2 * 8)


def _judged(n: int) -> Simulation:
    null = product_limit([1.0, 3.0], [2.0, 0.0], [0.0, 5.0])  # 2/7, the mean chance

    def simulate(rng: np.random.Generator) -> Interval:
        time, event, chance = _chances(rng, n)
        found = brier_scores(time, event, ~event, risk=chance, times=[1.0], null=null)
        return found.difference[0]

    return simulate


def _on_average(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Interval:
        time, event, chance = _chances(rng, n)
        return calibration(time, event, ~event, risk=chance, horizon=1.0).ratio

    return simulate


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in sys.argv[1:2]]))
