"""Customer bases with a known truth: how often intervals of their models hold it.

    python benchmarks/calibrate_customer_base.py [REPETITIONS]

Customers are made one by one as each model says, and fitted as histories. An interval of an
expectation must hold that of the true parameters given the same histories; one for what will
be counted must hold the purchases that the made customers went on to make. A fit that does
not converge gives no interval, and how often is told. 400 repetitions take half an hour,
which `make calibrate` runs; 2,000 take three.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from calibrate import limits
from numpy.typing import NDArray

from cxlab.stats.customer_base import (
    Histories,
    RepeatBuying,
    fit_cohorts,
    fit_repeat_buying,
    fit_retention,
    fit_spend,
    histories,
    residual_value,
    spend_independence,
)
from cxlab.stats.customer_base.renewal_law import log_survival
from cxlab.stats.customer_base.spend import expected_spend
from cxlab.stats.customer_base.value import discounted_purchases
from cxlab.stats.intervals import Interval

Floats = NDArray[np.float64]
Told = dict[str, tuple[Interval, float]]  # interval and truth by what it is of
Simulation = Callable[[np.random.Generator], Told | None]

SIZES = (1_000, 4_000)
LENGTH = 39.0
# Near what is found on CDNOW, and a base that buys more and leaves sooner.
TRUTHS = {
    "BG/NBD": ((0.24, 4.4, 0.8, 2.4), (1.0, 6.0, 1.5, 3.0)),
    "MBG/NBD": ((0.52, 6.2, 0.9, 1.6), (1.5, 8.0, 1.2, 4.0)),
    "Pareto/NBD": ((0.55, 10.6, 0.6, 11.7), (1.5, 12.0, 1.5, 40.0)),
}
SPEND = np.array([6.25, 3.74, 15.44])
RENEWALS = {"sBG": ((0.67, 3.8), (0.70, 1.2)), "BdW": ((0.5, 1.5, 1.3),)}
ONE = histories([2], [30.43], [38.86])
FLOOR = 0.92  # of a single truth


@dataclass(frozen=True)
class Scenario:
    """One model at one size and one truth."""

    model: str
    n: int
    setting: str
    simulate: Simulation


def scenarios(sizes: tuple[int, ...] = SIZES) -> Iterator[Scenario]:
    """List what is tried."""
    for n in sizes:
        for model, truths in TRUTHS.items():
            for truth in truths:
                yield Scenario(model, n, f"{truth}", _buying(model, n, np.array(truth)))
        for kind, shapes in RENEWALS.items():
            for shape in shapes:
                yield Scenario(kind, n, f"{shape}", _renewing(kind, n, np.array(shape)))
        yield Scenario("sBG of two plans", n, "", _renewing_by_plan(n))
        yield Scenario("gamma-gamma", n, "CDNOW", _spending(n))


def calibrate_customer_base(
    *, repetitions: int, tried: Iterator[Scenario] | list[Scenario] | None = None
) -> pd.DataFrame:
    """Coverage by model, number, size and truth; the seed is the scenario's name."""
    rows = []
    for one in scenarios() if tried is None else tried:
        rng = np.random.default_rng(zlib.crc32(f"{one.model}/{one.n}/{one.setting}".encode()))
        held: dict[str, list[bool]] = {}
        withheld = 0
        for _ in range(repetitions):
            told = one.simulate(rng)
            withheld += told is None
            for name, (found, truth) in (told or {}).items():
                held.setdefault(name, []).append(found.low <= truth <= found.high)
        rows += [
            (one.model, name, one.n, one.setting, np.mean(hits), withheld / repetitions)
            for name, hits in held.items()
        ]
    return pd.DataFrame(rows, columns=["model", "of", "n", "setting", "coverage", "withheld"])


def independence_rejected(*, repetitions: int, n: int = 1_000) -> float:
    """How often spend is said to go with frequency where it does not; at most 5 %."""
    rng = np.random.default_rng(zlib.crc32(f"independence/{n}".encode()))
    rejected = 0
    for _ in range(repetitions):
        x = 1.0 + rng.poisson(rng.gamma(0.6, 3.0, n))
        rejected += spend_independence(x, made_spend(rng, x)).p_value < 0.05
    return rejected / repetitions


def difference_invented(*, repetitions: int, n: int = 1_000) -> float:
    """How often plans are said to renew differently where they do not; at most 5 %."""
    rng = np.random.default_rng(zlib.crc32(f"plans/{n}".encode()))
    law, plans = np.array([0.67, 3.8]), pd.DataFrame({"plan": [0.0, 1.0]})
    invented = 0
    for _ in range(repetitions):
        fit = fit_cohorts([_cohort(rng, law, n, renewals) for renewals in (8, 5)], plans)
        invented += fit.converged and fit.test().p_value < 0.05
    return invented / repetitions


def made_base(
    rng: np.random.Generator, model: str, params: Floats, n: int, *, later: float = LENGTH
) -> tuple[Histories, int]:
    """Make customers one by one, watched 27 to 39 weeks; return also what they buy later."""
    r, alpha, first, second = params
    watched = 39 - np.floor(rng.uniform(0, 12 * 7, n)) / 7
    rate = rng.gamma(r, 1 / alpha, n)
    if model == "Pareto/NBD":
        leaves = np.zeros(n)
        until = rng.exponential(1 / rng.gamma(first, 1 / second, n))
    else:
        leaves = rng.beta(first, second, n)
        until = np.full(n, np.inf)
        if model == "MBG/NBD":
            until[rng.random(n) < leaves] = 0.0
    x, t_x, after = np.zeros(n), np.zeros(n), np.zeros(n)
    at, buying = np.zeros(n), np.arange(n)
    while len(buying):
        at[buying] += rng.exponential(1, len(buying)) / np.maximum(rate[buying], 1e-300)
        buying = buying[at[buying] <= np.minimum(until, watched + later)[buying]]
        now = buying[at[buying] <= watched[buying]]
        x[now] += 1
        t_x[now] = at[now]
        after[buying[at[buying] > watched[buying]]] += 1
        buying = buying[rng.random(len(buying)) >= leaves[buying]]
    return histories(x, t_x, watched, spend=made_spend(rng, x)), int(after.sum())


def made_spend(rng: np.random.Generator, x: Floats) -> Floats:
    """Mean spend of so many purchases each; none where there was no purchase."""
    p, q, gamma = SPEND
    own = rng.gamma(q, 1 / gamma, len(x))  # the rate of each customer's spend
    return np.where(x > 0, rng.gamma(p * np.maximum(x, 1)) / (own * np.maximum(x, 1)), np.nan)


def _buying(model: str, n: int, truth: Floats) -> Simulation:
    def simulate(rng: np.random.Generator) -> Told | None:
        base, after = made_base(rng, model, truth, n)
        fit = fit_repeat_buying(base, model=model)
        if not fit.converged:
            return None
        expected = float(base.customers @ fit.expected(truth, base, LENGTH))
        alive, new = fit.p_alive(ONE).iloc[0], fit.new_customer([52.0]).iloc[0]
        told = {
            "total to expect": (fit.total(base, LENGTH), expected),
            "total to be counted": (fit.total(base, LENGTH, realised=True), float(after)),
            "P(alive)": (_interval(alive), float(fit.model.p_alive(truth, ONE)[0])),
            "new customer": (_interval(new), float(fit.model.new(truth, np.array([52.0]))[0])),
        }
        if model != "BG/NBD":
            active = float(base.customers @ fit.model.p_alive(truth, base))
            told["active customers"] = (fit.active(base), active)
        return told | _worth(fit, base, truth)

    return simulate


def _worth(fit: RepeatBuying, base: Histories, truth: Floats) -> Told:
    again = base.x > 0
    spend = fit_spend(base.x[again], base.spend[again], base.customers[again])
    if not spend.converged:
        return {}
    found = residual_value(
        fit, spend, base, length=LENGTH, discount_rate=0.1, periods_per_year=52.0
    )
    often = discounted_purchases(fit, truth, base, LENGTH, float(np.log1p(0.1)) / 52)
    worth = base.customers @ (often * expected_spend(SPEND, base.x, base.spend))
    return {"residual value": (found.total(), float(worth))}


def _renewing(kind: str, n: int, truth: Floats) -> Simulation:
    def simulate(rng: np.random.Generator) -> Told | None:
        fit = fit_retention(_cohort(rng, truth, n, 7), model=kind)
        if not fit.converged:
            return None
        left = float(np.exp(log_survival(truth, np.array([12.0])))[0])
        t = np.arange(8.0, 500.0)
        still = np.exp(log_survival(truth, t) - log_survival(truth, np.array([7.0])))
        return {
            "left after 12": (_interval(fit.curve(12).iloc[12]), left),
            "residual lifetime": (
                fit.further_renewals(7, discount_rate=0.1),
                float((still / 1.1 ** (t - 8)).sum()),
            ),
        }

    return simulate


def _cohort(rng: np.random.Generator, law: Floats, n: int, renewals: int) -> list[int]:
    """Survivors of one cohort after 0, 1, 2, ... renewals."""
    share = np.exp(log_survival(law, np.arange(renewals + 1.0)))
    survivors = [n]
    for chance in share[1:] / share[:-1]:
        survivors.append(int(rng.binomial(survivors[-1], chance)))
    return survivors


def _renewing_by_plan(n: int) -> Simulation:
    """Four cohorts of different ages; two are of another plan."""
    laws = {0.0: np.array([0.67, 3.8]), 1.0: np.array([0.8, 2.5])}
    plans = pd.DataFrame({"plan": [0.0, 1.0, 0.0, 1.0]})
    left = float(np.exp(log_survival(laws[1.0], np.array([12.0])))[0])

    def simulate(rng: np.random.Generator) -> Told | None:
        cohorts = [
            _cohort(rng, laws[plan], n // 2, 8 - i) for i, plan in enumerate(plans["plan"])
        ]  # fmt: skip
        fit = fit_cohorts(cohorts, plans)
        if not fit.converged:
            return None
        times = fit.table().set_index("parameter").assign(n=fit.n).loc["alpha, plan"]
        return {
            "left after 12": (_interval(fit.of({"plan": 1.0}).curve(12).iloc[12]), left),
            "times alpha": (_interval(times), 0.8 / 0.67),
        }

    return simulate


def _spending(n: int) -> Simulation:
    def simulate(rng: np.random.Generator) -> Told | None:
        x = 1.0 + rng.poisson(rng.gamma(0.6, 3.0, n))
        fit = fit_spend(x, made_spend(rng, x))
        if not fit.converged:
            return None
        given = fit.of_customers([2], [22.35]).iloc[0]
        truth = expected_spend(SPEND, np.array([0.0, 2.0]), np.array([0.0, 22.35]))
        return {
            "mean spend": (fit.population(), float(truth[0])),
            "spend of one": (_interval(given), float(truth[1])),
        }

    return simulate


def _interval(row: "pd.Series[float]") -> Interval:
    return Interval(
        estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=1, method=""
    )


def main(repetitions: int = 400) -> int:
    """Print the table; fail where the mean coverage of a number leaves the limits."""
    found = calibrate_customer_base(repetitions=repetitions)
    low, high = limits(repetitions)
    print(f"{repetitions} repetitions; limits {low:.4f} to {high:.4f}; floor {FLOOR}\n")
    print(found.to_string(index=False, float_format="{:.4f}".format))
    summary = found.groupby(["model", "of", "n"])["coverage"].agg(["mean", "min"])
    summary["holds"] = summary["mean"].between(low, high) & (summary["min"] >= FLOOR)
    print("\nMean and least coverage over the truths\n")
    print(summary.to_string(float_format="{:.4f}".format))
    rejected = independence_rejected(repetitions=repetitions)
    most = limits(repetitions, truth=0.05)[1]
    print(
        f"\nSpend said to go with frequency where it does not: {rejected:.4f} (at most {most:.4f})"
    )
    invented = difference_invented(repetitions=repetitions)
    print(f"Plans said to renew differently where they do not: {invented:.4f}")
    return 0 if summary["holds"].all() and max(rejected, invented) <= most else 1


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in sys.argv[1:2]]))
