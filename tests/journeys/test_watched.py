"""What came of journeys that were watched for so long: against plain counts and known truth."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.engine import DuckEngine
from cxlab.journeys.maps.watched import QUARTILES, watched

MINUTE = 60_000_000
DAY = 1440 * MINUTE


def spans(came, watch, who=None, grp=7):
    """Build spans from lengths in minutes; one that came after the watch was not seen."""
    came, watch = np.asarray(came, dtype=float), np.asarray(watch, dtype=float)
    return pd.DataFrame(
        {
            "grp": grp,
            "person_id": [f"p{i}" for i in range(len(came))] if who is None else who,
            "length_us": pd.array(
                [int(c) * MINUTE if c <= w else None for c, w in zip(came, watch, strict=True)],
                dtype="Int64",
            ),
            "watched_us": (watch * MINUTE).astype("int64"),
        }
    )


def test_where_all_is_seen_the_quartiles_are_those_of_the_sorted_lengths(engine):
    rng = np.random.default_rng(11)
    lengths = rng.integers(10, 300, 211)  # whole minutes from ten on: not rounded
    found = watched(engine.table(spans(lengths, np.full(211, 1000))))[7]
    ordered = np.sort(lengths) * MINUTE
    for measure, share in QUARTILES.items():
        made = found.quartile(measure, of_reached=False)
        assert made.estimate == ordered[int(np.ceil(share * 211)) - 1]
        assert made.low <= made.estimate <= made.high
    assert (found.n, found.seen, found.people, found.share().estimate) == (211, 211, 211, 1)
    # Half the ordered lengths within 1.96 standard errors of the middle one.
    half = found.quartile("median", of_reached=False)
    rank = np.searchsorted(ordered, half.low) + 1
    assert rank == pytest.approx(106 - 1.96 * np.sqrt(211) / 2, abs=4)


def test_the_same_stays_of_fewer_people_say_less():
    lengths = np.repeat(np.random.default_rng(2).integers(10, 300, 60), 4)
    alone = watched(DuckEngine().table(spans(lengths, np.full(240, 1000))))[7]
    who = [f"p{i // 4}" for i in range(240)]
    alike = watched(DuckEngine().table(spans(lengths, np.full(240, 1000), who)))[7]
    wide = [f.quartile("median", of_reached=False) for f in (alone, alike)]
    ratio = (wide[1].high - wide[1].low) / (wide[0].high - wide[0].low)
    assert ratio == pytest.approx(2, abs=0.7)  # four alike are worth one; order statistics jump


def test_late_beginners_are_no_failures():
    """60 % come within 20 days; watched for 0 to 90 days, a quarter were not watched so long."""
    rng = np.random.default_rng(3)
    comes = rng.random(4000) < 0.6
    came = np.where(comes, rng.uniform(0, 20, 4000), np.inf) * 1440
    watch = rng.uniform(0, 90, 4000) * 1440
    found = watched(DuckEngine().table(spans(came, watch)))[7]
    naive = (came <= watch).mean()
    share = found.share()
    assert naive < 0.55
    assert share.low <= 0.6 <= share.high
    assert share.high - share.low < 0.04
    half = found.quartile("median", of_reached=True)
    assert half.low <= 10 * DAY <= half.high
    assert half.high - half.low < 1.5 * DAY  # 0.5 / sqrt(2400) of 20 days to either side


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_shares_and_quartiles_cover_the_truth(share):
    """400 groups of 150: at least 92 %, three errors of simulation below 95 %."""
    rng = np.random.default_rng(int(100 * share))
    groups = np.repeat(np.arange(400), 150)
    n = len(groups)
    came = np.where(rng.random(n) < share, rng.exponential(3 * 1440, n), np.inf)
    watch = rng.uniform(0, 60 * 1440, n)
    who = [f"p{i}" for i in range(n)]
    found = watched(DuckEngine().table(spans(came, watch, who, groups)))
    shares = [found[g].share() for g in range(400)]
    assert np.mean([s.low <= share <= s.high for s in shares]) >= 0.92
    for measure, q in QUARTILES.items():
        true = -3 * np.log(1 - q) * DAY
        made = [found[g].quartile(measure, of_reached=True) for g in range(400)]
        # Lengths are rounded down, below thirty days by at most an hour.
        hit = np.mean([m.low - DAY / 24 <= true <= m.high + DAY / 24 for m in made])
        assert hit >= 0.92, measure


def test_one_of_the_last_does_not_stand_for_many():
    # Of a hundred one was watched for long, and it came at the end.
    came = np.r_[np.full(30, 10), np.full(69, np.inf), 90]
    watch = np.r_[np.full(99, 20), 100]
    found = watched(DuckEngine().table(spans(came, watch)))[7]
    assert found.share().estimate == pytest.approx(0.3)
