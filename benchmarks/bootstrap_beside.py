"""Intervals of customer-base models beside those of a parametric bootstrap: width and coverage.

    python benchmarks/bootstrap_beside.py [REPETITIONS [DRAWS [CUSTOMERS]]]

Customers are made as each model says, with the parameters of CDNOW, as often as it has them,
and fitted. The bootstrap makes as many customers again with the parameters found, fits them,
and works the number out for the histories at hand; its ends are the quantiles of those draws
that converged. They are searched from the parameters found alone, a third of the work of a fit.
By hand: 100 repetitions with 99 draws take five to eight minutes a model.
"""

import sys
import time
import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from calibrate_customer_base import LENGTH, ONE, TRUTHS, made_base

from cxlab.stats.customer_base import Histories, RepeatBuying, fit_repeat_buying
from cxlab.stats.customer_base.maximum import maximise

__all__ = ["beside", "main"]

CUSTOMERS = 1_000  # CDNOW's sample has 2,357
MODELS = ("BG/NBD", "MBG/NBD")
LEVEL = 0.95

Numbers = dict[str, float]
Ends = dict[str, tuple[float, float]]


def beside(model: str, *, repetitions: int, draws: int, customers: int) -> pd.DataFrame:
    """Width, coverage and time of both, one row per number."""
    rows = [
        (name, kind, seconds, high - low, low <= truth <= high, lost)
        for found in _repeated(model, repetitions, draws, customers)
        for name, truth, kind, (low, high), seconds, lost in found
    ]
    frame = pd.DataFrame(rows, columns=["of", "kind", "seconds", "width", "coverage", "lost"])
    frame["coverage"] = frame["coverage"].astype(float)
    table = frame.groupby(["of", "kind"]).mean()
    table["times"] = frame.groupby(["of", "kind"]).size()
    return table.reset_index().assign(model=model)


def _repeated(
    model: str, repetitions: int, draws: int, customers: int
) -> Iterator[list[tuple[str, float, str, tuple[float, float], float, float]]]:
    truth = np.array(TRUTHS[model][0])
    for place in range(repetitions):
        seed = zlib.crc32(f"{model}/{place}".encode())
        base, _ = made_base(np.random.default_rng(seed), model, truth, customers)
        begun = time.perf_counter()
        fit = fit_repeat_buying(base, model=model)
        if not fit.converged:
            continue
        ours = _ours(fit, base)
        between = time.perf_counter()
        drawn, lost = _drawn(fit, base, draws, np.random.default_rng((seed, 1)))
        ends = (between - begun, time.perf_counter() - between)
        told = _numbers(fit, truth, base)
        yield [
            (name, told[name], kind, found[name], seconds, share)
            for kind, found, seconds, share in (
                ("delta or profile", ours, ends[0], 0.0), ("bootstrap", drawn, ends[1], lost),
            )
            for name in told
        ]  # fmt: skip


def _numbers(fit: RepeatBuying, params: np.ndarray, base: Histories) -> Numbers:
    """What the parameters say of the histories at hand."""
    found = {
        "P(alive) of one history": float(fit.model.p_alive(params, ONE)[0]),
        "purchases to expect of it": float(fit.expected(params, ONE, LENGTH)[0]),
        "purchases to expect of all": float(base.customers @ fit.expected(params, base, LENGTH)),
    }
    if fit.model.title != "BG/NBD":
        found["active customers"] = float(base.customers @ fit.model.p_alive(params, base))
    return found


def _ours(fit: RepeatBuying, base: Histories) -> Ends:
    alive, own = fit.p_alive(ONE).iloc[0], fit.future(ONE, LENGTH).iloc[0]
    total = fit.total(base, LENGTH)
    found = {
        "P(alive) of one history": (float(alive["conf_low"]), float(alive["conf_high"])),
        "purchases to expect of it": (float(own["conf_low"]), float(own["conf_high"])),
        "purchases to expect of all": (total.low, total.high),
    }
    if fit.model.title != "BG/NBD":
        active = fit.active(base)
        found["active customers"] = (active.low, active.high)
    return found


def _drawn(
    fit: RepeatBuying, base: Histories, draws: int, rng: np.random.Generator
) -> tuple[Ends, float]:
    """Ends of the bootstrap, and the share of draws whose fit did not converge."""
    many, params = int(fit.n), np.exp(fit.theta)
    told: list[Numbers] = []
    for _ in range(draws):
        again, _ = made_base(rng, fit.model.title, params, many)
        found = maximise(lambda u, h=again: fit.model.log_likelihood(u, h), [fit.theta], fit.names)
        if not found.reason:
            told.append(_numbers(fit, np.exp(found.theta), base))
    table = pd.DataFrame(told)
    ends = table.quantile([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (
        {str(name): (float(ends[name].iloc[0]), float(ends[name].iloc[1])) for name in ends},
        1 - len(told) / draws,
    )


def main(repetitions: int = 100, draws: int = 99, customers: int = CUSTOMERS) -> int:
    """Print the table of each model."""
    for model in MODELS:
        found = beside(model, repetitions=repetitions, draws=draws, customers=customers)
        print(found.to_string(index=False, float_format="{:.4g}".format), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in sys.argv[1:4]]))
