"""Word of mouth: against rows by hand, and what is planted or not."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import Withheld
from cxlab.loyalty import word_of_mouth

CYCLE = parse_cycle("2018Q1")
CAMPAIGNS = pd.DataFrame(
    {
        "ends_on": pd.to_datetime(["2018-02-01", "2017-06-01", "2016-06-01", "2018-06-01"]),
        "impressions": [1000, 3000, 10, 10],
        "cost_amount": [50.0, 30.0, 9000.0, 9000.0],
    }
)


def posts(rng: np.random.Generator, n: int, *, louder: float) -> pd.DataFrame:
    """Posts of n/2 authors; bad ones are seen by `louder` times as many."""
    rating = rng.integers(1, 6, n)
    views = rng.lognormal(5, 1, n) * np.where(rating <= 2, louder, 1.0)
    return pd.DataFrame(
        {"comment_id": range(n), "customer_id": [f"c{i // 2}" for i in range(n)],
         "written_at": CYCLE.start + pd.to_timedelta(rng.integers(0, 89, n), unit="D"),
         "rating": rating.astype(float), "scale_min": 1.0, "scale_max": 5.0,
         "reach": np.rint(views)}
    )  # fmt: skip


def one(found, metric: str, tone: str | None = None) -> pd.Series:
    rows = found.estimates[found.estimates["metric"] == f"mouth.{metric}"]
    return rows[rows["tone"].isna() if tone is None else rows["tone"] == tone].iloc[0]


def test_numbers_are_those_of_the_rows(engine: Engine):
    table = posts(np.random.default_rng(1), 400, louder=1.0)
    table.loc[:2, "reach"] = np.nan  # nobody knows how many saw these
    table.loc[3:5, "rating"] = np.nan
    table.loc[6, "written_at"] = CYCLE.cutoff
    found = word_of_mouth(engine.table(table), engine.table(CAMPAIGNS), cycle=CYCLE, currency="EUR")
    known = table.iloc[7:]
    bad, good = known[known["rating"] <= 2], known[known["rating"] >= 4]
    assert one(found, "posts", "bad")["estimate"] == len(bad)
    assert one(found, "views", "good")["estimate"] == good["reach"].sum()
    share = one(found, "bad_views_share")
    assert share["estimate"] == pytest.approx(bad["reach"].sum() / known["reach"].sum())
    gap = one(found, "post_views_difference")
    assert gap["estimate"] == pytest.approx(bad["reach"].mean() - good["reach"].mean())
    # Two campaigns ended within the year: 80 for 4,000 views.
    amount = one(found, "same_views_amount", "bad")
    assert (amount["estimate"], amount["unit"]) == (pytest.approx(bad["reach"].sum() * 0.02), "EUR")


def test_louder_bad_words_are_heard_and_alike_ones_are_not():
    loud = word_of_mouth(posts(np.random.default_rng(2), 2000, louder=2.0), cycle=CYCLE)
    assert "a bad post is seen by more people" in loud.protect(10).sentence()
    clear = 0
    for seed in range(40):
        found = word_of_mouth(posts(np.random.default_rng(seed), 300, louder=1.0), cycle=CYCLE)
        row = one(found, "post_views_difference")
        clear += bool(row["conf_low"] > 0 or row["conf_high"] < 0)
    assert clear <= 6  # 2 of 40 are to be expected; more than 6 have a chance below 0.4 %


def test_it_draws_and_small_numbers_are_withheld():
    table = posts(np.random.default_rng(3), 300, louder=1.0)
    found = word_of_mouth(table[(table["rating"] > 2) | (table.index < 10)], cycle=CYCLE)
    safe = found.protect(10)
    assert safe.plot()
    assert one(safe, "views", "bad")["suppressed"]
    assert "Too few wrote in public" in safe.sentence()


def test_who_writes_good_and_middling_posts_is_one_person():
    rows = [(f"bad {i}", 1.0, 100 + i) for i in range(30)]
    rows += [(f"other {i % 6}", 3.0 + 2 * (i % 2), 50 + i) for i in range(24)]
    table = pd.DataFrame(rows, columns=["customer_id", "rating", "reach"]).assign(
        comment_id=range(54), written_at=CYCLE.start, scale_min=1.0, scale_max=5.0
    )
    found = word_of_mouth(table, cycle=CYCLE)
    assert one(found, "bad_views_share")["count"] == 6


def test_too_little_is_refused():
    table = posts(np.random.default_rng(4), 100, louder=1.0)
    with pytest.raises(Withheld, match="needs 10 rated posts"):
        word_of_mouth(table.assign(reach=np.nan), cycle=CYCLE)
    with pytest.raises(Withheld, match="how good it was: map reach\\."):
        word_of_mouth(table.drop(columns="reach"), cycle=CYCLE)
