"""Intervals of churn and loyalty hold the truth: the short run of benchmarks/calibrate_churn.py."""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import retention

_BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(_BENCHMARKS))
try:
    import calibrate_churn
    import calibrate_retention
    from sample_replicates import CYCLE, in_engine
finally:
    sys.path.remove(str(_BENCHMARKS))

REPETITIONS = 12


@pytest.fixture(scope="module")
def pool():
    return calibrate_churn.pool("base", 8_000)


@pytest.fixture(scope="module")
def told(pool):
    return calibrate_churn.truth(pool)


def test_a_draw_of_everybody_is_the_pool(pool, told):
    made = in_engine({n: t.assign(person=0) for n, t in pool.draw(np.arange(pool.persons)).items()})
    shares = retention(
        made["subscriptions"], cycle=CYCLE, complete_from=calibrate_churn.BEGIN
    ).estimates
    shares = shares[shares["metric"] == "churn.retained_share"].set_index("after_days")
    assert shares.loc[336.0, "estimate"] == pytest.approx(
        told[0]["projection.retained_share|336|expected"], abs=1e-12
    )


def test_intervals_hold_what_is_true_of_the_pool(pool, told):
    truths, design = told
    found = [*islice(calibrate_churn.gather(pool, design, REPETITIONS), 6 * REPETITIONS)]
    covered = calibrate_churn.coverage(found, truths).set_index("name")
    families = set(covered.index.str.split("|").str[0])
    assert families == {
        "churn.lifetime_days", "churn.lifetime_difference", "churn.cause_share",
        "churn.hazard_ratio", "projection.retained_share", "revenue.gross_retained_share",
        "revenue.net_retained_share", "value.per_customer_amount",
    }  # fmt: skip
    # So few or fewer happen to a perfect interval once in 2,000; value is shown, not judged.
    judged = covered[~covered.index.str.startswith("value.")]
    assert judged["kept"].all(), judged[~judged["kept"]]


def test_curves_of_fresh_companies_hold_what_is_planted():
    found = calibrate_retention.covered(24, calibrate_retention.truth(3)).set_index("age")
    # So few or fewer happen to a perfect interval once in 2,000.
    assert found["kept"].all(), found
    assert found["times"].drop(found.index[found.index.str.endswith("shown")]).eq(24).all()
    # A product limit and a plain share of those who could be followed: two ways to one number.
    known = found["plain"].dropna()
    assert (known - found["truth"][known.index]).abs().max() < 0.04  # 7,000 subscriptions


def test_tenths_of_a_forecast_are_counted_plainly(pool):
    found = calibrate_retention.tenths(pool, CYCLE)
    held = pool.tables["subscriptions"]
    start, end = pd.Timestamp(CYCLE.start), pd.Timestamp(CYCLE.cutoff)
    runs = held[(held["started_at"] < start) & ~(held["ended_at"] < start)]
    left = runs[(runs["ended_at"] < end) & (runs["end_kind"] == "voluntary")]
    assert found["n"].sum() == len(runs)
    assert (found["left"] * found["n"]).sum() == pytest.approx(len(left))
    assert found["foretold"].is_monotonic_increasing
    assert found["n"].max() - found["n"].min() < 0.15 * found["n"].mean()
