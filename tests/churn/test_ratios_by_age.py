"""Ratios by age: against the residuals, and ratios that do and do not change."""

import numpy as np
import pandas as pd

from cxlab.churn import churn_drivers
from cxlab.data.engine import Engine

from .test_drivers import CYCLE, world


def found_in(table, signs):
    return churn_drivers(table, signs, cycle=CYCLE, drivers=["plan"], window_days=182).by_age


def rows(found, covariate: str = "ticket opened") -> pd.DataFrame:
    kept = found.estimates[found.estimates["metric"] == "churn.ratio_by_age"]
    return kept[kept["covariate"] == covariate].sort_values("after_days")


def p_value(found, covariate: str = "ticket opened") -> float:
    return found.p_values[covariate]


def test_a_ratio_that_falls_with_age_is_seen_falling():
    found = found_in(*world(1, 12_000, ratio=6.0, late=1.0))
    bands = rows(found)
    assert p_value(found) < 0.01
    assert bands["estimate"].iloc[0] > 2 * bands["estimate"].iloc[-1]
    assert bands["conf_low"].iloc[-1] < 1 < bands["conf_high"].iloc[-1]
    assert "the ratio changes with age for ticket opened" in found.protect(10).sentence()
    assert found.protect(10).plot()


def test_a_ratio_that_stays_is_covered_in_each_band_and_rarely_called_changing():
    inside, named = 0, 0
    for seed in range(12):
        found = found_in(*world(seed, 3000, ratio=2.0))
        bands = rows(found)
        inside += int(((bands["conf_low"] <= 2) & (bands["conf_high"] >= 2)).sum())
        named += p_value(found) < 0.05
    assert inside >= 40  # of 48, 45.6 are to be expected; below 40 has a chance of 0.3 %
    assert named <= 3


def test_both_engines_show_the_same(engine: Engine):
    table, signs = world(2, 800)
    here = found_in(table, signs).estimates
    there = found_in(engine.table(table), engine.table(signs)).estimates
    pd.testing.assert_frame_equal(here, there)


def test_each_band_has_as_many_leavers():
    found = found_in(*world(3, 4000))
    many = rows(found)["n"]
    assert len(many) == 4
    assert many.max() < 1.2 * many.min()
    assert np.isfinite(rows(found)[["estimate", "conf_low", "conf_high"]]).all().all()


def test_the_people_behind_a_ratio_are_those_of_its_band():
    table, signs = world(5, 2000)
    found = found_in(table, signs)
    bands = rows(found)
    assert (bands["count"] < bands["n"] / 2).all()  # fewer left with the sign than without
    safe = found.protect(int(bands["count"].max()) + 1)
    kept = rows(safe)
    assert kept["suppressed"].all()
