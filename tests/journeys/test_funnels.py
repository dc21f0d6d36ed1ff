"""Funnels: published semantics, and what must hold whatever the log."""

import random
from datetime import datetime, timedelta

import pandas as pd
import pytest
from pydantic import ValidationError

from cxlab.data.engine import frame
from cxlab.errors import CxlabError, MissingColumnError, Withheld
from cxlab.journeys import Funnel, count_funnel
from cxlab.stats.clusters import ClusterSums

from .test_funnel_oracle import MODES, SEEN, START, random_funnel, random_log

CUTOFF = START + timedelta(days=1)
# ClickHouse's windowFunnel(10) on one person's events, steps A, B, C: levels reached by
# default and with strict_order, strict_increase and strict_once (read from its output).
CLICKHOUSE = [
    ("A@1 B@2 C@3", 3, 3, 3, 3),
    ("A@1 D@2 B@3 C@4", 3, 1, 3, 3),
    ("A@1 A@2 B@3 B@4 C@5 C@6", 3, 3, 3, 3),
    ("C@1 C@2 B@3 B@4 A@5 A@6", 1, 1, 1, 1),
    ("A@1 C@2 B@3", 2, 1, 2, 2),
    ("A@1 B@2 B@3 C@4", 3, 3, 3, 3),
    ("A@1 B@1 C@2", 3, 3, 1, 3),
    ("A@0 B@5 C@11", 2, 2, 2, 2),
    ("A@0 B@5 C@10", 3, 3, 3, 3),
]


def log_of(events: str, person: str = "p") -> pd.DataFrame:
    pairs = [event.split("@") for event in events.split()]
    return pd.DataFrame(
        {
            "customer_id": person,
            "activity": [activity for activity, _ in pairs],
            "occurred_at": [START + timedelta(seconds=float(at)) for _, at in pairs],
        }
    )


def reached(log: pd.DataFrame, funnel: Funnel, **how) -> list[int]:
    found = count_funnel(log, funnel, **{"start": START, "cutoff": CUTOFF} | how).reached
    return [int(n) for n in found.groupby("step")["n"].sum()]


@pytest.mark.parametrize(
    ("column", "options"),
    [
        (1, {"reentry": True}),
        (2, {"reentry": True, "order": "strict"}),
        (3, {"reentry": True, "ties": "later"}),
        (4, {"reentry": True}),
    ],
    ids=["default", "strict_order", "strict_increase", "strict_once"],
)
def test_levels_are_those_of_clickhouse_where_the_modes_coincide(column, options):
    funnel = Funnel(steps=["A", "B", "C"], window="10 seconds", **options)
    logs = pd.concat([log_of(row[0], f"p{i}") for i, row in enumerate(CLICKHOUSE)])
    own = pd.DataFrame({"customer_id": [f"p{i}" for i in range(len(CLICKHOUSE))]})
    found = count_funnel(
        logs, funnel, start=START, cutoff=CUTOFF, by=own.assign(who=own["customer_id"])
    ).reached
    levels = found.groupby("group")["n"].sum()
    assert levels.tolist() == [row[column] for row in CLICKHOUSE]


def test_one_row_makes_one_step_as_in_strict_once_of_clickhouse():
    steps = [{"name": name, "activity": "A"} for name in ("one", "two", "three")]
    assert reached(log_of("A@1"), Funnel(steps=steps)) == [1, 0, 0]
    assert reached(log_of("A@1"), Funnel(steps=steps, ties="later")) == [1, 0, 0]


def test_steps_of_different_values_may_fall_on_one_moment():
    log = log_of("A@1 B@1").assign(stage=["look", "buy"])
    steps = [{"name": name, "where": f"stage = '{name}'"} for name in ("look", "buy")]
    assert reached(log, Funnel(steps=steps)) == [1, 1]
    assert reached(log, Funnel(steps=steps, ties="later")) == [1, 0]
    barred = {"name": "buy", "where": "stage = 'buy' and activity not in ('A')"}
    assert reached(log, Funnel(steps=["A", barred])) == [1, 1]


def test_in_any_order_steps_that_one_contact_could_make_are_refused():
    overlapping = [{"name": "x", "activity": ["B", "C"]}, {"name": "y", "activity": ["C", "D"]}]
    with pytest.raises(ValidationError, match="one contact must not make two steps"):
        Funnel(steps=["A", *overlapping], order="any")
    apart = [{"name": n, "activity": "view", "where": f"touchpoint = '{n}'"} for n in "xy"]
    assert Funnel(steps=["A", *apart], order="any").required == ["A", "x", "y"]


def test_optimised_reentry_is_that_of_mixpanel():
    log = log_of("A@0 A@1800 B@2700 C@4500")  # 13:00, 13:30, 13:45, 14:15
    steps = {"steps": ["A", "B", "C"], "window": "1 hour"}
    assert reached(log, Funnel(**steps)) == [1, 1, 0]
    assert reached(log, Funnel(**steps, reentry=True)) == [1, 1, 1]
    times = count_funnel(log, Funnel(**steps, reentry=True), start=START, cutoff=CUTOFF)
    (row,) = times.durations.to_dict("records")
    assert (row["span_units"] * times.unit_us, row["is_converted"]) == (2_700_000_000, True)


# Nobody's window is cut: an entry that is mature in a short extract is counted as when all
# that follows is known, so a rate does not fall because the extract is cut earlier.
@pytest.mark.parametrize("order", MODES)
def test_a_mature_person_counts_in_an_extract_cut_earlier_as_in_the_whole(order):
    log = random_log(500, seed=21)
    funnel = Funnel(steps=["A", "B", "C"], window="9 seconds", order=order)
    entry = log[log["activity"].eq("A") & log["second"].ge(0)].groupby("person")["second"].min()
    for cut in (15, 20, 25, SEEN):
        early = count_funnel(log, funnel, start=START, cutoff=START + timedelta(seconds=cut))
        mature = early.reached[early.reached["is_mature"]]["n"].tolist()
        known = set(entry[entry + 9 < cut].index)
        assert mature == reached(log[log["person"].isin(known)], funnel)
        assert mature[-1] > 0


@pytest.mark.parametrize("order", ["ordered", "any"])
@pytest.mark.parametrize("more", [{"reentry": True}, {"count_by": "attempt"}])
def test_a_mature_attempt_counts_in_an_extract_cut_earlier_as_in_the_whole(order, more):
    log = random_log(500, seed=21)
    funnel = Funnel(steps=["A", "B", "C"], window="9 seconds", order=order, **more)
    for cut in (15, 20, 25, SEEN):
        early = count_funnel(log, funnel, start=START, cutoff=START + timedelta(seconds=cut))
        mature = early.reached[early.reached["is_mature"]]["n"].tolist()
        not_yet = log["activity"].eq("A") & log["second"].ge(cut - 9)
        assert mature == reached(log[~not_yet], funnel)
        assert mature[-1] > 0


@pytest.mark.parametrize("order", MODES)
def test_counts_never_rise_over_required_steps(order):
    for seed in range(3):
        funnel = random_funnel(order, random.Random(f"rise {order} {seed}"))  # noqa: S311
        counts = reached(random_log(200, seed=seed), funnel)
        must = [n for n, step in zip(counts, funnel.steps, strict=True) if not step.optional]
        assert must == sorted(must, reverse=True)


@pytest.mark.parametrize("order", MODES)
def test_order_of_rows_copies_names_and_the_future_change_nothing(order):
    funnel = random_funnel(order, random.Random(f"same {order}"))  # noqa: S311
    log = random_log(200, seed=11)
    said = count_funnel(log, funnel, start=START, cutoff=CUTOFF)
    future = log.assign(occurred_at=log["occurred_at"] + timedelta(days=2))
    changed = {
        "shuffled": log.sample(frac=1, random_state=1),
        "copied": pd.concat([log, log.head(50)], ignore_index=True),
        "renamed": log.assign(customer_id="x" + log["customer_id"]),
        "anonymous": log.assign(anonymous_id=log["customer_id"]).drop(columns="customer_id"),
        "with a future": pd.concat([log, future], ignore_index=True),
    }
    for name, other in changed.items():
        again = count_funnel(other, funnel, start=START, cutoff=CUTOFF)
        pd.testing.assert_frame_equal(again.reached, said.reached, obj=name)
        pd.testing.assert_frame_equal(again.durations, said.durations, obj=name)


@pytest.mark.parametrize("attribution", ["first", "last", "A", "C"])
def test_parts_add_up_to_the_whole_whatever_step_a_property_is_read_at(attribution):
    log = random_log(300, seed=3)
    for more in ({}, {"reentry": True}, {"count_by": "session"}, {"count_by": "attempt"}):
        funnel = Funnel(steps=["A", "B", "C"], window="9 seconds", attribution=attribution, **more)
        whole = count_funnel(log, funnel, start=START, cutoff=START + timedelta(seconds=SEEN))
        parts = count_funnel(
            log, funnel, start=START, cutoff=START + timedelta(seconds=SEEN), by="channel"
        )
        key = ["step", "is_mature"]
        assert parts.reached.groupby(key)["n"].sum().equals(whole.reached.groupby(key)["n"].sum())
        assert parts.durations["n"].sum() == whole.durations["n"].sum()


def test_sums_for_clusters_are_those_of_single_persons():
    # Person a: attempts 3, of which 2 get to B; b: 1 and 0; c: 2 and 2.
    log = pd.concat(
        [log_of("A@0 B@1 A@2 B@3 A@20", "a"), log_of("A@0", "b"), log_of("A@0 B@1 A@2 B@9", "c")]
    )
    funnel = Funnel(steps=["A", "B"], window="10 seconds", count_by="attempt")
    found = count_funnel(log, funnel, start=START, cutoff=CUTOFF).reached
    entered, arrived = found.to_dict("records")
    sums = ClusterSums(
        customers=entered["persons"], n=entered["n"], total=arrived["n"],
        n_n=arrived["n_n"], n_total=arrived["n_total"], total_total=arrived["total_total"],
    )  # fmt: skip
    expected = ClusterSums(customers=3, n=6, total=4, n_n=14, n_total=10, total_total=8)
    assert sums == expected
    assert (arrived["persons"], arrived["before_total"]) == (2, 10)


def test_bots_and_rows_of_nobody_are_left_out_and_counted(engine):
    log = log_of("A@1 B@2 A@3").assign(is_bot=[False, True, None])
    log = pd.concat([log, log_of("A@1").assign(customer_id=None, is_bot=False)])
    table = engine.table(log.astype({"is_bot": "boolean"}))
    found = count_funnel(table, Funnel(steps=["A", "B"]), start=START, cutoff=CUTOFF)
    assert found.left_out == {"by bots": 1, "of nobody known": 1}
    assert found.reached["n"].tolist() == [1, 0]
    assert found.reached["is_mature"].tolist() == [False, False]


def test_few_rows_leave_the_engine(engine):
    table = engine.table(random_log(100, seed=1))
    funnel = Funnel(steps=["A", "B", "C"], window="10 days", count_by="attempt")
    engine.longest_answer = 0
    found = count_funnel(table, funnel, start=START, cutoff=CUTOFF, by="channel")
    assert engine.longest_answer <= 50
    assert len(frame(found.durations, limit=1000)) < 50


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": ["A"]}, "at least 2 items"),
        ({"steps": ["A", "A"]}, "each step must be named once"),
        ({"steps": ["A", {"name": "B"}]}, "needs `activity`, or `where`, or both"),
        (
            {"steps": ["A", {"name": "B", "activity": "B", "optional": True}]},
            "must not be optional",
        ),
        ({"steps": ["A", "B"], "window": "7 dogs"}, "A length of time must read like"),
        ({"steps": ["A", "B"], "attribution": "C"}, "attribution must be first, last, or one of"),
        ({"steps": ["A", "B"], "exclude": [{"activity": "X", "after": "B"}]}, "must lie between"),
        ({"steps": ["A", "B"], "count_by": "attempt", "reentry": True}, "`reentry` says nothing"),
        (
            {"steps": ["A", {"name": "B", "where": "x in (select 1)"}]},
            "must look at one row's columns only",
        ),
        (
            {"steps": ["A", {"name": "B", "activity": "B", "within": "1 day"}], "order": "any"},
            "`within` needs an order",
        ),
    ],
)
def test_a_funnel_that_makes_no_sense_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        Funnel.model_validate(given)


def test_what_the_log_cannot_carry_is_refused_with_a_reason():
    log = log_of("A@1 B@2")
    how = {"start": START, "cutoff": CUTOFF}
    with pytest.raises(Withheld, match=r"Nobody entered the funnel: .* is a 'C'"):
        count_funnel(log, Funnel(steps=["C", "A"]), **how)
    with pytest.raises(MissingColumnError, match="no column 'session_id'"):
        count_funnel(log, Funnel(steps=["A", "B"], count_by="session"), **how)
    named = Funnel(steps=["A", {"name": "B", "activity": "B", "where": "chanel = 'web'"}])
    with pytest.raises(CxlabError, match="step 'B' names 'chanel'"):
        count_funnel(log, named, **how)


def test_a_name_with_a_quote_stays_a_name(engine):
    log = engine.table(log_of("A'@1 B@2"))
    assert count_funnel(
        log, Funnel(steps=["A'", "B"]), start=START, cutoff=datetime(2024, 3, 1)
    ).reached["n"].tolist() == [1, 1]
