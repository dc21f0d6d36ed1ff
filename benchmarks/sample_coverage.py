"""Do the estimates of a cycle hold what is true of the made-up company?

Fresh customers of one world come again and again (`sample_replicates`); the public functions
estimate as the notebooks do (`sample_estimates`), and it is counted how often each interval
holds the expectation over customers (`sample_truth`). `make calibrate` runs 2,000
repetitions, the tests 200.

    python benchmarks/sample_coverage.py [REPETITIONS [CUSTOMERS OF THE TRUTH]]
"""

import sys

import numpy as np
import pandas as pd
from calibrate import FLOOR, limits
from sample_estimates import SEED, decisions, estimates, gather, still
from sample_replicates import PART
from sample_truth import Truth, truth

from cxlab.data.sample.company import company
from cxlab.data.sample.world import World

__all__ = ["ELSEWHERE", "NARROW", "WIDE", "coverage", "decided", "main", "verdicts"]

ELSEWHERE = 1_000_000_000  # number of the first person of whom the truth is made

# Estimates whose intervals are wider than they need be, and why; only the lower limit holds.
WIDE = {
    "customers.rfm_share|quantiles": "break points are quantiles of the same customers, so "
    "shares vary less than a binomial's",
    "orders.count_change": "Garwood's ends are exact, so a little wide; what customers of both "
    "cycles share is taken off the variance, and the excess weighs more",
}

# Estimates whose intervals are narrower than they should be: how often they hold, and why.
NARROW = {
    "orders.mean_amount": (
        0.90,
        "few customers spend most: 91 % at 240 who bought, 92 % at 1,200, 95 % at 6,000",
    ),
}


def coverage(found: pd.DataFrame, truths: Truth) -> pd.DataFrame:
    """How often intervals hold their truth, lie below or above it: one row per estimate."""
    known = found[found["name"].isin(truths.keys())].dropna(subset=["conf_low", "conf_high"])
    known = known.assign(truth=known["name"].map(truths))
    slack = 1e-9 * known["truth"].abs().clip(lower=1)  # an end that equals the truth holds it
    known["is_below"] = known["conf_high"] < known["truth"] - slack
    known["is_above"] = known["conf_low"] > known["truth"] + slack
    known["holds"] = ~(known["is_below"] | known["is_above"])
    known["width"] = known["conf_high"] - known["conf_low"]
    return known.groupby("name", sort=True).agg(
        truth=("truth", "first"), mean=("estimate", "mean"), coverage=("holds", "mean"),
        below=("is_below", "mean"), above=("is_above", "mean"), width=("width", "mean"),
        times=("holds", "size"), n=("n", "mean"),
    ).reset_index()  # fmt: skip


def verdicts(covered: pd.DataFrame) -> pd.DataFrame:
    """Judge each estimate; shares of segments by their mean coverage and the least one.

    A share of fewer than ten customers, or of all but ten, is too coarse for any interval
    to hold just so often; it is shown and not judged. So is what was mostly withheld.
    """
    of_segments = covered["name"].str.count(r"\|") > 1
    family = covered["name"].str.split("|").str[:2].str.join("|")
    few = covered["n"] * np.minimum(covered["truth"], 1 - covered["truth"])
    judged = covered.assign(estimate=family.where(of_segments, covered["name"]))
    often = judged["times"] >= judged.groupby("estimate")["times"].transform("max") / 2
    judged = judged[~of_segments | ((few >= 10) & often)]
    rows = judged.groupby("estimate").agg(
        shares=("name", "size"), coverage=("coverage", "mean"), least=("coverage", "min"),
        width=("width", "mean"), n=("n", "mean"), times=("times", "min"),
    )  # fmt: skip
    ends = [limits(int(times)) for times in rows["times"]]
    rows["low"], rows["high"] = zip(*ends, strict=True)
    for name, (least, _) in NARROW.items():
        if name in rows.index:
            rows.loc[name, "low"] = limits(int(rows["times"][name]), truth=least)[0]
    floor = [
        limits(int(times), truth=NARROW.get(str(name), (FLOOR,))[0])[0]
        for name, times in rows["times"].items()
    ]
    near = 0.0005 + 1e-9  # limits are promised to a tenth of a percent
    rows["holds"] = (rows["coverage"] >= rows["low"] - near) & (rows["least"] >= floor)
    rows["holds"] &= (rows["coverage"] <= rows["high"] + near) | rows.index.isin(list(WIDE))
    remarks = WIDE | {name: reason for name, (_, reason) in NARROW.items()}
    rows["remark"] = [remarks.get(str(name), "") for name in rows.index]
    return rows.reset_index()


def decided(found: pd.DataFrame) -> pd.Series:
    """Share of replicates that declare a difference, by name; there is none."""
    told = found.dropna(subset=["conf_low", "conf_high"])
    declared = (told["conf_low"] > 0) | (told["conf_high"] < 0)
    return declared.groupby(told["name"]).mean()


def main(repetitions: int = 2000, customers: int = 63 * PART) -> int:
    """Print both tables; fail where coverage leaves the limits or too much is declared."""
    world = World(company(), SEED)
    truths = truth(world, customers, first=ELSEWHERE)
    covered = coverage(gather(world, estimates, repetitions=repetitions), truths)
    low, high = limits(repetitions)
    print(f"The made-up company: {repetitions} repetitions; limits {low:.4f} to {high:.4f}\n")
    print(covered.to_string(index=False, float_format="{:.4f}".format))
    judged = verdicts(covered)
    print(f"\nEstimates and families of shares; each share at least {FLOOR}\n")
    print(judged.to_string(index=False, float_format="{:.4f}".format))
    rates = decided(gather(still(), decisions, repetitions=repetitions))
    _, most = limits(repetitions, truth=0.05)
    print(f"\nDifferences declared where there are none; at most {most:.4f}\n")
    print(rates.to_string(float_format="{:.4f}".format))
    return 0 if judged["holds"].all() and (rates <= most).all() else 1


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in sys.argv[1:3]]))
