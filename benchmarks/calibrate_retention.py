"""Curves of retention and forecasts of leaving against what is planted in the made-up company.

    python benchmarks/calibrate_retention.py [REPETITIONS [PARTS OF THE TRUTH]]

Fresh customers come again and again, and `retention` estimates the share that still runs at a few
ages, and the median. The truth is that of other customers by the hundred thousand, worked out
plainly: their product limit under the same log, since hazards of this company change with the
calendar, and those are at risk whom the log has seen. Beside it stands the plain share of those
who began within the log and could be followed for so long, which needs no product limit.

Forecasts are made of a large company when a cycle begins, by a model that has seen earlier
cycles alone. Subscriptions that run then are cut into tenths by the chance foretold, and in each
the mean chance is held against Kaplan and Meier's share of what followed within the cycle. Who
leaves otherwise is watched to the cycle's end as one who did not leave of their own will.
"""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
from calibrate import limits
from calibrate_churn import BEGIN, SIZE, Pool, pool, still
from numpy.typing import NDArray
from sample_coverage import ELSEWHERE
from sample_replicates import CYCLE, PART, in_engine

from cxlab.churn import retention
from cxlab.churn.lengths import cells_of, counted, curve_of, lengths
from cxlab.churn.model import counts_of, left_of
from cxlab.churn.validation import foresee
from cxlab.data.calendar import Cycle
from cxlab.stats.survival import product_limit

__all__ = ["AGES", "covered", "main", "tenths", "truth"]

AGES = (84, 168, 336, 728)  # days
CYCLES = 4  # that are foreseen, the last ones
MEDIAN = "median"
SHOWN = " where shown"  # a point is shown once ten more have ended
LEAST_SHOWN = 0.92  # which happens sooner where many left: such points lie a little low
_ENDS = ["estimate", "conf_low", "conf_high"]
MOST_OFF = 0.03  # mean distance of forecast and outcome over tenths and cycles

Floats = NDArray[np.float64]


def truth(parts: int) -> pd.DataFrame:
    """What is true of customers whom no replicate has: by age and for the median."""
    held = pd.concat([_held(ELSEWHERE + PART * i, PART) for i in range(parts)])
    stay = still(held)
    begin, end = pd.Timestamp(BEGIN) - pd.Timedelta(hours=7), pd.Timestamp(CYCLE.cutoff)
    began, day = held["started_at"], pd.Timedelta(days=1)
    lasted = (held["ended_at"].fillna(end) - began) / day
    rows = []
    for age in AGES:
        inside = (began >= begin) & (began < end - age * day)
        share = stay[age // 7], float((lasted >= age)[inside].mean())
        rows += [(str(age), *share), (f"{age}{SHOWN}", *share)]
    half = 7.0 * float(np.flatnonzero(stay <= 0.5)[0])
    return pd.DataFrame([*rows, (MEDIAN, half, np.nan)], columns=["age", "truth", "plain"])


def covered(repetitions: int, truths: pd.DataFrame) -> pd.DataFrame:
    """How often the intervals of fresh companies hold the truth: one row per age."""
    found = pd.concat([told.astype(dict.fromkeys(_ENDS, float)) for told in _told(repetitions)])
    found = truths.merge(found.dropna(), on="age")
    slack = 1e-9  # an end that equals the truth holds it
    found["below"] = found["conf_high"] < found["truth"] - slack
    found["above"] = found["conf_low"] > found["truth"] + slack
    found["coverage"] = ~(found["below"] | found["above"])
    found["width"] = found["conf_high"] - found["conf_low"]
    columns = ["truth", "plain", "estimate", "coverage", "below", "above", "width"]
    table = found.groupby("age", sort=False)[columns].mean()
    table["times"] = found.groupby("age").size()
    table["least"], table["most"] = zip(*map(limits, table["times"]), strict=True)
    # Limits are promised to a tenth of a percent.
    near = 0.0005 + 1e-9
    shown = table.index.str.endswith(SHOWN)
    table.loc[shown, "least"] = [limits(n, truth=LEAST_SHOWN)[0] for n in table.loc[shown, "times"]]
    table["kept"] = table["coverage"].between(table["least"] - near, table["most"] + near)
    return table.reset_index()


def tenths(of: Pool, cycle: Cycle) -> pd.DataFrame:
    """Chance foretold when the cycle began and share that left in it, by tenth of the chance."""
    made = in_engine({name: of.tables[name].assign(**_named(of, name)) for name in
                      ("subscriptions", "signals")})  # fmt: skip
    model, now = foresee(
        made["subscriptions"], made["signals"], cycle=cycle, drivers=["plan"], window_days=91,
        complete_from=BEGIN,
    )  # fmt: skip
    rows = counts_of(now)
    rows = rows.assign(**dict.fromkeys(set(model.design.signs) - set(rows.columns), 0))
    weeks = float((cycle.cutoff - cycle.start).days // 7)
    n, had = rows["n"].to_numpy(float), left_of(rows, model.cause)
    lasted = np.minimum((rows["stop"] - rows["entry"]).to_numpy(float), weeks)
    chance = model.risk(rows, [weeks])[:, 0]
    order = np.argsort(chance, kind="stable")
    upto = np.cumsum(n[order]) - n[order] / 2
    tenth = np.empty(len(n), dtype=int)
    tenth[order] = np.minimum(10 * upto / n.sum(), 9).astype(int)
    table = []
    for k in range(10):
        mine = tenth == k
        curve = product_limit(
            np.where(had, lasted, weeks + 1)[mine], (n * had)[mine], (n * ~had)[mine]
        )
        seen = curve.share_at(weeks)
        told = float(np.average(chance[mine], weights=n[mine]))
        table.append((cycle.name, k + 1, told, 1 - seen.estimate, 1 - seen.high, 1 - seen.low,
                      float(n[mine].sum())))  # fmt: skip
    columns = ["cycle", "tenth", "foretold", "left", "low", "high", "n"]
    found = pd.DataFrame(table, columns=columns)
    return found.assign(holds=found["foretold"].between(found["low"], found["high"]))


def _told(repetitions: int) -> Iterator[pd.DataFrame]:
    """Estimate from one fresh company after another."""
    for first in range(0, repetitions * SIZE, PART):
        made = _held(first, min(PART, repetitions * SIZE - first))
        for _, mine in made.groupby((made["person"] - first) // SIZE):
            held = in_engine({"subscriptions": mine.assign(person=0)})["subscriptions"]
            seen = lengths(held, CYCLE, BEGIN)
            counts, people = counted(cells_of(seen, "'all'"))
            at = curve_of(counts, people.iloc[0]).at([age // 7 for age in AGES])
            yield at[_ENDS].assign(age=[str(age) for age in AGES])
            rows = retention(held, cycle=CYCLE, complete_from=BEGIN).estimates
            yield rows.loc[rows["metric"] == "churn.median_days", _ENDS].assign(age=MEDIAN)
            shown = rows[rows["metric"].eq("churn.retained_share") & rows["after_days"].isin(AGES)]
            yield shown[_ENDS].assign(age=shown["after_days"].map(f"{{:g}}{SHOWN}".format))


def _held(first: int, persons: int) -> pd.DataFrame:
    """Subscriptions of these persons, one each."""
    held = pool("base", persons, first=first).tables["subscriptions"]
    who = "c" + held["person"].astype(str)
    return held.assign(customer_id=who, subscription_id=who)


def _named(of: Pool, name: str) -> dict[str, "pd.Series[str]"]:
    who = "c" + of.tables[name]["person"].astype(str)
    return {"customer_id": who, "subscription_id": who}


def main(repetitions: int = 2000, parts: int = 63) -> int:
    """Print both tables; fail where coverage leaves the limits, or a forecast is far off."""
    ages = covered(repetitions, truth(parts))
    print(ages.to_string(index=False, float_format="{:.4g}".format))
    cycles = [CYCLE]
    while len(cycles) < CYCLES:
        cycles.append(cycles[-1].previous)
    large = pool("base", 12 * PART)
    found = pd.concat([tenths(large, cycle) for cycle in cycles], ignore_index=True)
    print("\nForecasts of leaving of one's own will, and what followed, by tenth\n")
    print(found.to_string(index=False, float_format="{:.3f}".format))
    off = float(np.average((found["foretold"] - found["left"]).abs(), weights=found["n"]))
    apart = found.groupby("tenth")["left"].mean()
    print(f"\nOff by {off:.4f} on average (at most {MOST_OFF}); {found['holds'].mean():.0%} of the "
          f"bands hold the chance foretold; the last tenth left {apart[10] / apart[1]:.1f} times "
          "as often as the first")  # fmt: skip
    return 0 if ages["kept"].all() and off <= MOST_OFF and apart[10] > apart[1] else 1


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in sys.argv[1:3]]))
