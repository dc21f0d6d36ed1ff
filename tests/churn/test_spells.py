"""A contract that is written as two, one after the other, is one: nobody left between them."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import churn_rate, last_straw, retention
from cxlab.churn.landmarks import landmarks
from cxlab.churn.lengths import lengths
from cxlab.churn.spells import spells
from cxlab.data.engine import Engine, frame, query

from .test_retention import CUTOFF, CYCLE, subscriptions

DAY = pd.Timedelta(days=1)


def cut_in_two(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """End each subscription long before the cycle, and begin it again within a week."""
    old = table[table["started_at"] < CYCLE.start - pd.Timedelta(days=200)]
    at = old["started_at"] + pd.to_timedelta(rng.integers(20, 100, len(old)), unit="D")
    gap = pd.to_timedelta(rng.integers(-7, 8, len(old)), unit="D")
    lasting = at + 8 * DAY < old["ended_at"].fillna(CUTOFF)
    old, at, gap = old[lasting], at[lasting], gap[lasting.to_numpy()]
    second = old.assign(subscription_id="2" + old["subscription_id"].astype(str),
                        started_at=at + gap)  # fmt: skip
    whole = table.astype({"subscription_id": str})
    whole.loc[old.index, "ended_at"] = at
    return pd.concat([whole, second], ignore_index=True)


@pytest.fixture
def both(engine: Engine) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(4)
    table = subscriptions(rng, 600)
    table["end_kind"] = np.where(table["ended_at"].notna(), "voluntary", None)
    return table, cut_in_two(rng, table)


def test_who_left_and_when_is_as_before(
    engine: Engine, both: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    assert len(both[1]) > len(both[0]) + 200
    told = []
    for table in both:
        known = engine.table(table)
        rate = churn_rate(known, cycle=CYCLE).estimates
        held = lengths(known, CYCLE, None)
        ended = query("select count(*) as n from h where is_over = 1", h=held)["n"][0]
        marks = frame(landmarks(known, cycle=CYCLE, cycles=1).rows, limit=10_000)
        gone = marks[marks["cause"].notna()]
        told.append(
            [ended, *rate.loc[rate["metric"].eq("churn.rate"), "count"], len(gone),
             sorted(gone["customer_id"])]
        )  # fmt: skip
    # Cycles before the last one had begun when some contracts began anew: these wait for the next.
    assert told[0][0] == told[1][0] > 100
    assert told[0][1] == told[1][1] > 10
    assert told[0][-2:] == told[1][-2:]


def test_the_notes_say_so_where_there_is_any(
    engine: Engine, both: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    apart, joined = (retention(engine.table(t), cycle=CYCLE).note for t in both)
    assert "it counts as going on until then" in joined
    assert "going on" not in apart


def test_what_is_marked_once_stays_as_it_is(engine: Engine) -> None:
    start = pd.Timestamp("2017-01-01")
    rows = pd.DataFrame(
        {"subscription_id": ["a", "b", "c"], "customer_id": ["x", "x", "y"], "started_at": start,
         "ended_at": [start + 30 * DAY, pd.NaT, start + 30 * DAY], "is_followed": [1, 0, 0]}
    )  # fmt: skip
    found = frame(spells(engine.table(rows), cutoff=CUTOFF), limit=10).set_index("subscription_id")
    assert found["cause"].isna().to_dict() == {"a": True, "b": True, "c": False}
    assert found["person"].isna().to_dict() == {"a": False, "b": False, "c": True}


def test_what_follows_is_known_only_when_it_has_begun(engine: Engine) -> None:
    end = pd.Timestamp(CYCLE.cutoff) - DAY
    rows = pd.DataFrame(
        {"subscription_id": ["a", "b"], "customer_id": ["x", "x"],
         "started_at": [end - 100 * DAY, end + 2 * DAY], "ended_at": [end, pd.NaT]}
    )  # fmt: skip
    now, later = (
        frame(spells(engine.table(rows), cutoff=cutoff), limit=10).set_index("subscription_id")
        for cutoff in (CYCLE.cutoff, CYCLE.next.cutoff)
    )
    assert now.loc["a", ["cause", "is_followed"]].tolist() == ["not known", 0]
    assert pd.isna(later.loc["a", "cause"]) and later.loc["a", "is_followed"] == 1


def test_a_change_of_contract_is_no_leaving_after_a_sign(engine: Engine) -> None:
    start = pd.Timestamp(CYCLE.start)
    n = np.arange(120)
    first = pd.DataFrame(
        {"subscription_id": [f"a{i}" for i in n], "customer_id": [f"c{i}" for i in n],
         "started_at": start - 300 * DAY, "end_kind": "voluntary",
         "ended_at": [start + (i % 60 + 10) * DAY if i < 60 else pd.NaT for i in n]}
    )  # fmt: skip
    ids = "b" + first["subscription_id"]
    changed = first.assign(subscription_id=ids, started_at=first["ended_at"], ended_at=pd.NaT)
    changed = changed.iloc[:30]
    signs = pd.DataFrame({"customer_id": first["customer_id"], "signal": "ticket opened",
                          "occurred_at": start + 5 * DAY}).iloc[::2]  # fmt: skip
    found = last_straw(
        engine.table(pd.concat([first, changed])), engine.table(signs),
        cycle=CYCLE, cycles=1, within_days=90,
    )  # fmt: skip
    assert "Base: 30 subscriptions that ended" in found.note
