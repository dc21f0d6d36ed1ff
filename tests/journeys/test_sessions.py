"""Sessions against a plain reading of the rules, contact by contact."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, frame, query
from cxlab.errors import MissingColumnError, Withheld
from cxlab.journeys import sessions, split_sessions

CYCLE = parse_cycle("2018Q1")
BEGIN = datetime(2018, 2, 1)


def log_of(*rows: tuple[str | None, float, str]) -> pd.DataFrame:
    """Build a log of (customer, minute, activity)."""
    return pd.DataFrame(
        {
            "interaction_id": [f"i{i:04d}" for i in range(len(rows))],
            "customer_id": pd.Series([who for who, _, _ in rows], dtype="object"),
            "occurred_at": [BEGIN + timedelta(minutes=m) for _, m, _ in rows],
            "activity": [what for _, _, what in rows],
        }
    ).astype({"occurred_at": "datetime64[us]"})


def numbers(log: pd.DataFrame, **how: object) -> list[int]:
    rows = split_sessions(log, **how)  # type: ignore[arg-type]
    return query("select session_no from r order by interaction_id", r=rows)["session_no"].tolist()


def by_hand(
    log: pd.DataFrame, minutes: float, starts: tuple[str, ...], ends: tuple[str, ...]
) -> dict[str, int]:
    """Read the rules contact by contact."""
    found = {}
    for _, rows in log.sort_values(["occurred_at", "interaction_id"]).groupby("customer_id"):
        number, last, over = 0, None, False
        for row in rows.itertuples():
            long = last is not None and row.occurred_at - last > timedelta(minutes=minutes)
            if last is None or long or over or row.activity in starts:
                number += 1
            last, over = row.occurred_at, row.activity in ends
            found[row.interaction_id] = number
    return found


def test_a_pause_as_long_as_the_timeout_ends_no_session_and_a_longer_one_does() -> None:
    assert numbers(log_of(("a", 0, "x"), ("a", 30, "x"), ("a", 60.001, "x"))) == [1, 1, 2]


def test_declared_starts_and_ends_cut_whatever_the_pause() -> None:
    log = log_of(("a", 0, "x"), ("a", 1, "login"), ("a", 2, "logout"), ("a", 3, "x"))
    assert numbers(log, starts=["login"], ends=["logout"]) == [1, 2, 2, 3]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 90), st.sampled_from(["x", "in", "out"])),
        min_size=1, max_size=30,
    ),
    st.sampled_from([1, 5, 20]),
)  # fmt: skip
def test_any_log_is_cut_as_the_rules_read(rows: list[tuple[str, int, str]], minutes: int) -> None:
    log = log_of(*rows)
    rows_ = split_sessions(log, timeout=f"{minutes} minutes", starts=["in"], ends=["out"])
    found = frame(rows_[["interaction_id", "session_no"]], limit=100)
    expected = by_hand(log, minutes, ("in",), ("out",))
    assert dict(found.itertuples(index=False, name=None)) == expected


def random_log(seed: int, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    minute = rng.integers(-2_000, 40_000, n) * rng.choice([0.5, 1], n)
    rows = zip(
        rng.integers(0, 25, n).astype(str), minute, rng.choice(["x", "y", "buy"], n), strict=True
    )
    log = log_of(*rows)
    log["duration_s"] = np.where(rng.random(n) < 0.5, rng.integers(0, 4_000, n), np.nan)
    return log


def test_the_numbers_of_a_random_log_are_those_of_a_plain_reading(engine: Engine) -> None:
    """Pauses from before the cycle, lengths that run over, sessions across its start."""
    log, minutes, cap = random_log(1), 45.0, 5.0
    cycle = parse_cycle("2018M02", length="month")
    found = sessions(
        engine.table(log), cycle=cycle, timeout="45 minutes", outcome=["buy"], longest="5 minutes"
    )
    log["no"] = log["interaction_id"].map(by_hand(log, minutes, (), ()))
    size, engaged, whole, reached = [], [], [], []
    for _, all_ in log.sort_values(["occurred_at", "interaction_id"]).groupby(
        ["customer_id", "no"]
    ):
        if not cycle.start <= all_["occurred_at"].iloc[0] < cycle.cutoff:
            continue
        rows = all_[all_["occurred_at"] < cycle.cutoff]
        pause = rows["occurred_at"].diff().shift(-1).dt.total_seconds() / 60
        length = (rows["duration_s"] / 60).clip(upper=minutes)
        own = np.fmin(pause, length.fillna(cap)).to_numpy(copy=True)
        own[-1] = length.fillna(0).iloc[-1]
        size.append(len(rows))
        engaged.append(own.sum())
        whole.append(pause.fillna(length.fillna(0)).sum())
        reached.append((rows["activity"] == "buy").any())
    ours = found.estimates[found.estimates["contacts"].isna()].set_index("metric")["estimate"]
    assert ours["sessions.count"] == len(size)
    assert ours["sessions.contacts"] == pytest.approx(np.mean(size))
    assert ours["sessions.engaged_minutes"] == pytest.approx(np.mean(engaged))
    assert ours["sessions.minutes"] == pytest.approx(np.mean(whole))
    assert ours["sessions.outcome_share"] == pytest.approx(np.mean(reached))
    assert ours["sessions.single_share"] == pytest.approx(np.mean(np.array(size) == 1))
    assert (np.array(engaged) <= np.array(whole) + 1e-9).all()
    sizes = found.estimates[found.estimates["metric"] == "sessions.size_share"]
    assert sizes["estimate"].sum() == pytest.approx(1)


def test_a_session_as_given_never_crosses_a_person(engine: Engine) -> None:
    log = log_of(*[(f"c{i // 2}", float(i % 2), "x") for i in range(40)])
    log["session_id"] = "one for all"
    log.loc[0, "session_id"] = None
    found = sessions(engine.table(log), cycle=CYCLE, given=True)
    rows = found.estimates.set_index("metric")["estimate"]
    assert rows["sessions.count"] == 20
    assert "1 without session_id" in found.note
    with pytest.raises(MissingColumnError, match="session_id"):
        sessions(log.drop(columns="session_id"), cycle=CYCLE, given=True)


def test_robots_nobody_and_the_future_are_in_no_session() -> None:
    log = log_of(*[(f"c{i}", 0, "x") for i in range(12)], (None, 0, "x"), ("b", 0, "x"))
    log["is_bot"] = log["customer_id"] == "b"
    later = log.assign(occurred_at=log["occurred_at"] + timedelta(days=500))
    found = sessions(pd.concat([log, later]), cycle=CYCLE)
    assert found.estimates["estimate"].iloc[0] == 12
    assert "1 by bots and 1 of nobody known" in found.note
    with pytest.raises(Withheld, match="at least 10 people"):
        sessions(log.head(3), cycle=CYCLE)
