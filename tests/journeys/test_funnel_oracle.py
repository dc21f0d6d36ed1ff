"""Funnels against plain Python, log by log: a thousand random logs for each mode."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pandas as pd
import pytest

from cxlab.data.funnel_settings import Funnel
from cxlab.journeys import FunnelCounts, count_funnel
from cxlab.journeys.funnels import units as funnel_units
from tests.journeys.funnel_oracle import Oracle, deepest_by_trying_all

START = datetime(2024, 1, 1)
SECOND = 1_000_000
BEFORE, SEEN = 5, 30  # seconds that lie before the start, and from there to the cutoff
WEB = "channel = 'web'"
CONDITIONS = {WEB: lambda row: row["channel"] == "web"}
MODES = ("ordered", "strict", "any")


def random_log(persons: int, *, seed: int) -> pd.DataFrame:
    """Make short logs of few activities, with many ties, copies and missing values."""
    chance = random.Random(seed)  # noqa: S311
    rows = [
        {
            "person": f"p{person:04}",
            "second": chance.randint(-BEFORE, SEEN + 5),
            "activity": chance.choice("AAABBBCCDX"),
            "channel": chance.choice(["web", "web", "shop"]),
            "session_id": chance.choice(["s1", "s1", "s2", None]),
            "object_id": chance.choice(["tea", "tea", "jar", None]),
        }
        for person in range(persons)
        for _ in range(chance.randint(0, 14))
    ]
    rows += chance.sample(rows, len(rows) // 20)
    return pd.DataFrame(rows).assign(
        customer_id=lambda f: f["person"],
        occurred_at=lambda f: START + pd.to_timedelta(f["second"], unit="s"),
    )


def random_funnel(order: str, chance: random.Random) -> Funnel:
    """Mix the options of a funnel at random, within what goes together."""
    activities = chance.choice([["A", "B", "C"], ["A", "B", "C", "D"], ["A", "B", "A"], ["A", "C"]])
    if order == "any":
        activities = ["A", *chance.sample("BCD", 2)]
    steps = [{"name": f"{i} {a}", "activity": [a]} for i, a in enumerate(activities)]
    for step in steps[1:]:
        if chance.random() < 0.2:
            step["activity"] = [*step["activity"], "X"] if order != "any" else step["activity"]
        if chance.random() < 0.2:
            step["where"] = WEB
        if chance.random() < 0.25 and order != "any":
            step["within"] = f"{chance.randint(1, 8)} seconds"
    for step in steps[1:-1]:
        step["optional"] = chance.random() < 0.3
    must = [step["name"] for step in steps if not step.get("optional")]
    exclude = []
    if chance.random() < 0.4:
        out = {"activity": chance.choice(["D", "X"]), "where": chance.choice([None, WEB])}
        if order != "any" and len(must) > 2 and chance.random() < 0.5:
            out |= {"after": must[1]}
        exclude.append(out)
    count_by = chance.choice(["person", "person", "session", "attempt"])
    return Funnel(
        steps=steps,
        window=f"{chance.randint(2, 20)} seconds",
        order=order,
        exclude=exclude,
        hold=chance.choice([[], [], [], ["object_id"]]),
        reentry=count_by != "attempt" and chance.random() < 0.5,
        count_by=count_by,
        ties=chance.choice(["either", "either", "later"]),
    )


def counted(log: pd.DataFrame, funnel: Funnel, *, by=None, engine=None) -> FunnelCounts:
    table = log if engine is None else engine.table(log)
    cutoff = START + timedelta(seconds=SEEN)
    return count_funnel(table, funnel, start=START, cutoff=cutoff, by=by)


def oracle_of(log: pd.DataFrame, funnel: Funnel) -> Oracle:
    seen = log[(log["second"] >= 0) & (log["second"] < SEEN)]
    rows = [row | {"at": row["second"] * SECOND} for row in seen.to_dict("records")]
    rows = [{k: None if v != v else v for k, v in row.items()} for row in rows]
    return Oracle(funnel, rows, SEEN * SECOND, CONDITIONS)


def assert_equal_log_by_log(log: pd.DataFrame, funnel: Funnel, *, engine=None) -> None:
    """Compare every person's own counts and times, not merely their sums."""
    who = pd.DataFrame({"customer_id": sorted(set(log["person"]))}).assign(
        own=lambda f: f["customer_id"]
    )
    found = counted(log, funnel, by=who if engine is None else engine.table(who), engine=engine)
    oracle = oracle_of(log, funnel)
    reached: dict[tuple[str, int, bool], int] = {}
    times: dict[tuple[str, int, bool], int] = {}
    for unit, attempt in oracle.units().items():
        mature = oracle.is_mature(attempt)
        for n in oracle.steps:
            reached[unit[0], n, mature] = reached.get((unit[0], n, mature), 0) + (n in attempt)
        done = oracle.done(attempt)
        until = (
            min(oracle.window, oracle.cutoff - attempt[1]) if done is None else done - attempt[1]
        )
        key = (unit[0], until // found.unit_us, done is not None)
        times[key] = times.get(key, 0) + 1
    assert {
        (group, step, mature): n
        for group, step, mature, n in found.reached[["group", "step", "is_mature", "n"]].itertuples(
            index=False
        )
    } == reached, funnel
    assert {
        (group, span, done): n
        for group, span, done, n in found.durations[
            ["group", "span_units", "is_converted", "n"]
        ].itertuples(index=False)
    } == times, funnel


@pytest.mark.parametrize("order", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_logs_are_counted_as_plain_python_counts_them(order, seed):
    chance = random.Random(f"{order} {seed}")  # noqa: S311
    assert_equal_log_by_log(random_log(1000, seed=seed), random_funnel(order, chance))


@pytest.mark.parametrize("order", MODES)
def test_one_pass_over_crowded_threads_finds_what_a_join_finds(order, monkeypatch):
    monkeypatch.setattr(funnel_units, "MOST_ENTRIES", 0)
    chance = random.Random(f"crowded {order}")  # noqa: S311
    log = random_log(1000, seed=5)
    for count_by, reentry in (("person", True), ("attempt", False)):
        funnel = random_funnel(order, chance)
        again = funnel.model_dump() | {"count_by": count_by, "reentry": reentry}
        assert_equal_log_by_log(log, Funnel.model_validate(again))


@pytest.mark.slow
@pytest.mark.parametrize("order", MODES)
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_more_funnels_are_counted_as_plain_python_counts_them(order, seed):
    chance = random.Random(f"{order} {seed}")  # noqa: S311
    assert_equal_log_by_log(random_log(300, seed=seed), random_funnel(order, chance))


@pytest.mark.parametrize("order", MODES)
def test_both_engines_count_alike(order, engine):
    chance = random.Random(f"engines {order}")  # noqa: S311
    assert_equal_log_by_log(random_log(60, seed=99), random_funnel(order, chance), engine=engine)


def test_no_other_choice_of_rows_gets_further_in_an_ordered_funnel():
    # Greedy, earliest matching must be as good as the best of all ways, tried one by one.
    steps = ["A", "B", "A", "C"]
    log = random_log(1000, seed=7)
    funnel = Funnel(
        steps=[{"name": f"{i} {a}", "activity": a} for i, a in enumerate(steps)],
        window="9 seconds",
    )
    best: Counter[int] = Counter()
    for _, rows in log[log["second"].between(0, SEEN - 1)].groupby("person"):
        own = [(int(r.second), r.activity) for r in rows.itertuples() if r.activity in "ABC"]
        entries = [second for second, activity in own if activity == "A"]
        if entries:
            best[deepest_by_trying_all(own, steps, 9, entry=min(entries))] += 1
    reached = counted(log, funnel).reached.groupby("step")["n"].sum()
    assert reached.tolist() == [sum(n for d, n in best.items() if d >= s) for s in (1, 2, 3, 4)]
