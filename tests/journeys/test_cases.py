"""Journeys against a plain reading of the rules, contact by contact."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, frame, query
from cxlab.data.journey_settings import JourneySettings
from cxlab.errors import MissingColumnError
from cxlab.journeys import flow, loops, timeline
from cxlab.journeys.cases import split_journeys

CUTOFF = datetime(2018, 4, 1)
STAGES = [{"name": "look"}, {"name": "buy"}, {"name": "use", "after": True}]
RULES = JourneySettings(outcome=["bought"], lost=["refused"], stages=STAGES, gap="10 days")
STAGE_OF = {
    "seen": "look", "bought": "buy", "refused": "buy", "paid": "buy", "called": "use",
    "opened": "use", "noted": "elsewhere",
}  # fmt: skip


def log_of(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Build a log of (customer, day of 2018 as MM-DD, activity)."""
    return pd.DataFrame(
        {
            "customer_id": [who for who, _, _ in rows],
            "occurred_at": pd.to_datetime([f"2018-{day}" for _, day, _ in rows]),
            "activity": [what for _, _, what in rows],
            "stage": [STAGE_OF[what] for _, _, what in rows],
        }
    )


def states(log: pd.DataFrame, rules: JourneySettings = RULES) -> list[tuple[str, int, int]]:
    found = split_journeys(log, rules, cutoff=CUTOFF)
    rows = query("select * from j order by journey", j=found.journeys)
    return list(rows[["state", "touches", "touches_after"]].itertuples(index=False, name=None))


def test_a_journey_ends_with_its_outcome_and_later_stages_belong_to_it() -> None:
    log = log_of(
        ("a", "01-01", "seen"), ("a", "01-02", "bought"), ("a", "01-04", "called"),
        ("a", "01-05", "seen"), ("a", "01-06", "opened"),
    )  # fmt: skip
    assert states(log) == [("converted", 2, 1), ("ended", 1, 1)]


def test_a_silence_ends_a_journey_and_one_that_may_go_on_is_open() -> None:
    log = log_of(
        ("a", "01-01", "seen"), ("a", "01-11", "seen"), ("a", "01-22", "seen"),
        ("b", "03-22", "seen"), ("c", "03-21", "seen"), ("d", "03-21", "bought"),
    )  # fmt: skip
    # Ten days are no silence yet, eleven are; b has been silent for exactly ten days.
    assert states(log) == [
        ("ended", 2, 0), ("ended", 1, 0), ("open", 1, 0), ("ended", 1, 0), ("converted", 1, 0),
    ]  # fmt: skip


def test_without_a_longest_silence_nothing_ends_by_itself() -> None:
    log = log_of(("a", "01-01", "seen"), ("a", "03-01", "seen"), ("b", "01-01", "bought"))
    patient = RULES.model_copy(update={"gap": None})
    assert states(log, patient) == [("open", 2, 0), ("converted", 1, 0)]


def test_a_refusal_loses_the_journey_and_service_alone_is_none() -> None:
    log = log_of(("a", "01-01", "seen"), ("a", "01-02", "refused"), ("b", "01-01", "called"))
    log = pd.concat([log, log_of(("c", "01-01", "bought"))])
    assert states(log) == [("lost", 2, 0), ("after only", 0, 1), ("converted", 1, 0)]


def test_what_follows_an_outcome_at_once_belongs_to_it_and_begins_no_journey_that_fails() -> None:
    paid = [
        (f"c{i}", f"01-02 10:0{m}", w) for i in range(5) for m, w in ((0, "bought"), (1, "paid"))
    ]
    twice = [("t", "01-02 10:00", "bought"), ("t", "01-02 10:00", "bought")]
    assert states(log_of(*paid, *twice)) == [("converted", 1, 1)] * 6
    # A look begins something new at any time; the outcome's own stage only when it has settled.
    log = log_of(("a", "01-02 10:00", "bought"), ("a", "01-02 10:05", "seen"),
                 ("b", "01-02 10:00", "bought"), ("b", "01-02 11:01", "paid"))  # fmt: skip
    assert states(log) == [
        ("converted", 1, 0), ("ended", 1, 0), ("converted", 1, 0), ("ended", 1, 0)
    ]  # fmt: skip
    at_once = RULES.model_copy(update={"settling": None})
    assert states(log_of(*paid[:2]), at_once) == [("converted", 1, 0), ("ended", 1, 0)]


def test_a_key_makes_one_journey_of_its_rows_however_long() -> None:
    log = log_of(
        ("a", "01-01", "seen"), ("a", "03-01", "bought"), ("a", "03-02", "seen"),
    ).assign(order_no=["1", "1", "1"])  # fmt: skip
    by_key = RULES.model_copy(update={"key": "order_no"})
    assert states(log, by_key) == [("converted", 2, 1)]
    assert states(log) == [("ended", 1, 0), ("converted", 1, 0), ("ended", 1, 0)]


def test_a_visitor_is_never_taken_for_the_customer_of_the_same_name() -> None:
    log = log_of(("a", "01-01", "seen"), ("a", "01-02", "bought"))
    log["anonymous_id"] = "a"
    log.loc[1, "customer_id"] = None
    found = split_journeys(log, RULES, cutoff=CUTOFF)
    rows = query("select person_id, customer_id from j order by person_id", j=found.journeys)
    assert list(rows["person_id"]) == ["a", "anonymous a"]
    assert list(rows["customer_id"].fillna("")) == ["a", ""]


def test_what_is_left_out_is_counted() -> None:
    log = log_of(("a", "01-01", "seen"), ("b", "01-01", "seen"), ("c", "01-01", "bought"))
    log["is_bot"] = [True, False, False]
    log.loc[1, "customer_id"] = None
    found = split_journeys(log, RULES, cutoff=CUTOFF)
    assert found.left_out == {"by bots": 1, "of nobody known": 1}


def test_stages_of_activities_stand_in_where_the_log_names_none() -> None:
    log = log_of(("a", "01-01", "seen"), ("a", "01-02", "bought")).drop(columns="stage")
    stages = [{"name": "look", "activities": ["seen"]}, {"name": "buy"}]
    found = split_journeys(log, JourneySettings(outcome=["bought"], stages=stages), cutoff=CUTOFF)
    assert dict(zip(found.places["activity"], found.places["stage"], strict=True)) == {
        "seen": "look",
        "bought": "not known",
    }


def test_an_outcome_that_nobody_ever_had_is_told_and_journeys_are_cut_as_without_one() -> None:
    log = log_of(("a", "01-01", "seen"), ("a", "01-02", "bought"), ("b", "01-01", "seen"))
    found, plain = (
        split_journeys(log, JourneySettings(outcome=named), cutoff=CUTOFF)
        for named in (["brought"], [])
    )
    assert found.unseen == (
        "journey.outcome names ['brought'], which no contact is of. Did you mean 'bought'? The "
        "log has bought, seen."
    )
    assert plain.unseen == ""
    assert found.settings.outcome == []
    tables = [frame(each.journeys, limit=9).sort_values("journey") for each in (found, plain)]
    pd.testing.assert_frame_equal(*tables)
    one = split_journeys(log, JourneySettings(outcome=["brought", "bought"]), cutoff=CUTOFF)
    assert one.unseen == ""  # of several outcomes one is enough


def test_what_needs_no_outcome_is_shown_without_one_and_says_why() -> None:
    days = pd.date_range("2018-01-02", periods=6)
    rows = [(f"c{i}", at, what) for i in range(20) for at, what in zip(days, "ababab", strict=True)]
    log = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "activity"])
    rules = JourneySettings(outcome=["brought"], gap="10 days")
    found = split_journeys(log.assign(touchpoint=log["activity"]), rules, cutoff=CUTOFF)
    now = parse_cycle("2018Q1")
    for shown in (flow(found, cycle=now), timeline(found, cycle=now), loops(found, cycle=now)):
        assert "journey.outcome names ['brought'], which no contact is of." in shown.note


def test_a_key_that_is_no_column_is_refused() -> None:
    with pytest.raises(MissingColumnError, match=r"journey\.key"):
        split_journeys(
            log_of(("a", "01-01", "seen")), JourneySettings(key="order_no"), cutoff=CUTOFF
        )


def random_log(seed: int, persons: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = persons * 12
    what = rng.choice(list(STAGE_OF), n, p=[0.4, 0.2, 0.05, 0.1, 0.1, 0.1, 0.05])
    # Few distinct moments, so that many contacts fall together, some within an hour of others.
    moments = rng.integers(0, 60, n) * 1440 + rng.choice([0, 0, 30, 60, 61, 400], n)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, persons, n).astype(str),
            "occurred_at": [datetime(2018, 1, 1) + timedelta(minutes=int(m)) for m in moments],
            "activity": what,
            "stage": [STAGE_OF[w] for w in what],
        }
    )


def by_hand(log: pd.DataFrame) -> list[tuple[str, str, int, int]]:
    """Read the rules contact by contact: (person, state, touches, touches after)."""
    sequence = ("seen", "paid", "refused", "bought", "called", "opened", "noted")
    rows = log[log["occurred_at"] < CUTOFF]
    rows = rows.assign(rank=rows["activity"].map({name: i for i, name in enumerate(sequence)}))
    out = []
    for person, contacts in rows.sort_values(["occurred_at", "rank"]).groupby("customer_id"):
        journeys: list[list[tuple[datetime, str, bool]]] = []
        ended = last = None  # when the last end was, as long as nothing new has begun
        for at, what in zip(contacts["occurred_at"], contacts["activity"], strict=True):
            after = STAGE_OF[what] == "use"
            silent = last is not None and at - last > timedelta(days=10)
            another = ended is not None and at > ended and not after and what != "refused"
            if another and what not in ("seen", "bought"):
                another = at - ended > timedelta(hours=1)
            if last is None or silent or another:
                journeys.append([])
            follows = ended is not None and not silent and not another
            if not after and (silent or another):
                ended = None
            if what in ("bought", "refused"):
                ended = at
            journeys[-1].append((at, what, after or follows))
            last = at
        for made in journeys:
            names = [what for _, what, _ in made]
            before = sum(not after for _, _, after in made)
            over = CUTOFF - made[-1][0] > timedelta(days=10)
            state = (
                "after only" if not before
                else "converted" if "bought" in names
                else "lost" if "refused" in names
                else "ended" if over else "open"
            )  # fmt: skip
            out.append((person, state, before, len(names) - before))
    return sorted(out)


def test_random_logs_are_cut_as_the_rules_read(engine: Engine) -> None:
    log = random_log(1)
    found = split_journeys(engine.table(log), RULES, cutoff=CUTOFF)
    rows = frame(found.journeys[["person_id", "state", "touches", "touches_after"]], limit=9000)
    assert sorted(rows.itertuples(index=False, name=None)) == by_hand(log)


def test_positions_run_from_one_by_time_and_the_order_of_rows_says_nothing() -> None:
    log = random_log(2)
    one, other = (
        frame(split_journeys(rows, RULES, cutoff=CUTOFF).touches, limit=9000)
        for rows in (log, log.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(one, other)
    for _, touches in one.groupby("journey"):
        ordered = touches.sort_values("position")
        assert list(ordered["position"]) == list(range(1, len(touches) + 1))
        assert ordered["at_us"].is_monotonic_increasing


@pytest.mark.parametrize("key", [None, "case"])
def test_journeys_as_of_an_earlier_day_are_those_cut_on_that_day(key: str | None) -> None:
    log = random_log(3)
    log["case"] = log["customer_id"] + log["activity"].str.len().astype(str)
    rules = RULES.model_copy(update={"key": key})
    early = datetime(2018, 2, 10)
    whole = split_journeys(log, rules, cutoff=CUTOFF).as_of(early)
    then = split_journeys(log, rules, cutoff=early)
    columns = ["person_id", "state", "started_us", "ended_us", "outcome_us", "lost_us", "touches",
               "touches_after"]  # fmt: skip
    one, other = (
        frame(j.journeys[columns], limit=9000).sort_values(columns, ignore_index=True)
        for j in (whole, then)
    )
    pd.testing.assert_frame_equal(one, other)


def test_with_a_key_all_follows_a_loss_that_no_outcome_followed() -> None:
    log = log_of(
        ("a", "01-01", "seen"), ("a", "01-02", "refused"), ("a", "01-03", "seen"),
        ("b", "01-01", "seen"), ("b", "01-02", "refused"), ("b", "01-03", "bought"),
        ("b", "01-04", "seen"),
    ).assign(order_no=lambda f: f["customer_id"])  # fmt: skip
    rules = RULES.model_copy(update={"key": "order_no"})
    # What was lost and won in the end is on its way until then.
    assert sorted(states(log, rules)) == [("converted", 3, 1), ("lost", 2, 1)]
