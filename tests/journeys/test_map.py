"""The journey map: each number a finding, each gap said, nothing small drawn."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from cxlab.columns import ALL_OTHERS
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import query
from cxlab.data.journey_settings import JourneySettings, PlannedStage
from cxlab.emotion import felt
from cxlab.errors import DataError, Withheld
from cxlab.journeys import drifts, journey_map, split_journeys, touchpoints_by_stage
from cxlab.journeys.maps.personas import OTHERS, personas
from cxlab.journeys.maps.phases import EVERYBODY

CYCLE = parse_cycle("2018Q1")
HOSTILE = '<img src=x onerror="alert(1)"> & \u202egnp'
PLAN = JourneySettings(
    outcome=["bought"],
    gap="10 days",
    stages=[
        PlannedStage(name="look", touchpoints=["web", "tv"], within="2 days", owner="Head of web"),
        PlannedStage(name="buy", promise="Two minutes."),
        PlannedStage(name="use", after=True, optional=True, channels=["phone"], within="1 day"),
        PlannedStage(name="leave", after=True, optional=True),
    ],
)


def log_of(people=60, touchpoint="web"):
    """Sixty look twice, a third of them buy in a shop a day later, some after a failed try."""
    rows = []
    for i in range(people):
        start = pd.Timestamp("2018-01-08") + pd.Timedelta(hours=i)
        looks = [(start, "look", "seen", touchpoint, "web", None)] * 2
        tries = [(start + pd.Timedelta(days=1), "buy", "paid", "shop", "store",
                  "fail" if i % 4 == 0 else "success")] * (i % 3 == 0)  # fmt: skip
        buys = [(start + pd.Timedelta(days=1), "buy", "bought", "shop", "store", None)]
        rows += [(f"c{i}", *c) for c in looks + tries + buys * (i % 3 == 0)]
    names = ["customer_id", "occurred_at", "stage", "activity", "touchpoint", "channel", "outcome"]
    return pd.DataFrame(rows, columns=names)


def answers_of(values, at):
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(len(values))],
            "answered_at": pd.Timestamp("2018-02-01"), "construct": "emotion",
            "dimension": "valence", "touchpoint": at, "value": np.asarray(values, dtype=float),
            "scale_min": -3, "scale_max": 3,
        }
    )  # fmt: skip


def mapped(log, settings=PLAN, *, answers=None, persona=None, **more):
    journeys = split_journeys(log, settings, cutoff=CYCLE.cutoff)
    feelings = ()
    if answers is not None:
        by = touchpoints_by_stage(journeys)
        feelings = [felt(answers, cycle=CYCLE, by=b, persona=persona) for b in (by, "touchpoint")]
    return journey_map(
        journeys, cycle=CYCLE, persona=persona, feelings=feelings, interactions=log, **more
    )


def number(result, metric, **dims):
    rows = result.estimates[result.estimates["metric"] == metric]
    for name, value in dims.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]["estimate"]


def cells(html):
    """Read the drawing as a reader does: stage, lane, what stands in it."""
    found = {}
    for stage in re.findall(r"<li class=\"cx-map-stage.*?</dl></li>", html, re.S):
        name = re.search(r"<h4>.*?<bdi>(.*?)</bdi>", stage)[1]
        for lane, rest in re.findall(r"<dt>(.*?)</dt>(.*?)</div>", stage, re.S):
            found[name, lane.split(",")[0]] = " ".join(
                unescape(re.sub(r"<[^>]+>", " ", rest)).split()
            )
    return found


def test_the_numbers_of_the_map_are_those_of_the_log(engine):
    found = mapped(engine.table(log_of()))
    assert number(found, "map.journeys") == 60
    assert number(found, "map.reach_share", stage="look") == 1
    assert number(found, "map.reach_share", stage="buy") == pytest.approx(1 / 3)
    assert number(found, "map.ending_share", stage="look") == pytest.approx(2 / 3)
    assert number(found, "map.touchpoint_share", stage="look", touchpoint="web") == 1
    assert number(found, "map.trouble_share", stage="buy", activity="paid") == pytest.approx(1 / 4)
    assert number(found, "journey.outcome_share") == pytest.approx(1 / 3)


def test_each_cell_says_how_it_is_known():
    answers = pd.concat([answers_of([1] * 20 + [0] * 20, "web"), answers_of([-2, -3] * 20, "shop")])
    log = log_of()
    settings = PLAN.model_copy(update={"stages": [
        PLAN.stages[0],
        PlannedStage(name="buy", touchpoints=["shop"], promise="Two minutes."),
        *PLAN.stages[2:],
    ]})  # fmt: skip
    drawn = cells(mapped(log, settings, answers=answers).picture(uid="f1"))
    assert drawn["look", "Feeling"].endswith("◆ surveyed, n\xa040".replace("\xa0", " "))
    assert "−0.83" in drawn["buy", "Feeling"]
    assert "lowest" in drawn["buy", "Feeling"]
    assert drawn["leave", "Feeling"].endswith("✕ missing")
    assert "tv planned, not met" in drawn["look", "Touchpoints"]
    assert drawn["look", "Touchpoints"].endswith("● observed, n 120")
    assert drawn["use", "Channels"] == "phone planned ○ assumed, no contact in the log"
    assert drawn["leave", "Channels"].endswith("✕ missing")
    assert drawn["use", "Time"] == "planned within 1 day ○ assumed"
    assert drawn["leave", "Time"].endswith("✕ missing")
    assert "end here 66.7%" in drawn["look", "Pain points"]
    assert "felt badly: shop −0.83" in drawn["buy", "Pain points"]
    assert drawn["look", "Owner"] == "Head of web ○ assumed"
    assert drawn["buy", "Owner"].endswith("✕ missing")
    assert drawn["buy", "Promise"] == "Two minutes. ○ assumed"


def test_a_study_without_plan_feelings_or_channels_says_what_would_tell():
    log = log_of().drop(columns=["channel", "outcome"])
    found = mapped(log, JourneySettings(outcome=["bought"], gap="10 days"))
    drawn = cells(found.picture(uid="f1"))
    assert {stage for stage, _ in drawn} == {"look", "buy"}
    assert "how did you feel" in drawn["look", "Feeling"]
    assert drawn["look", "Channels"].startswith("The log names none. Map the column channel")
    assert drawn["look", "Touchpoints"].endswith("● observed, n 120")
    assert {c for (_, lane), c in drawn.items() if lane == "Owner"} == {
        "Nobody is named in the study's settings. ✕ missing"
    }
    assert all(c.endswith(("missing", "assumed")) or "observed" in c for c in drawn.values())
    with pytest.raises(Withheld, match="needs stages"):
        mapped(log.drop(columns="stage"), JourneySettings(outcome=["bought"]))


def test_a_stay_of_which_nobody_knows_the_end_is_not_called_too_few():
    found = mapped(log_of(), PLAN.model_copy(update={"gap": None}))
    time = cells(found.picture(uid="f1"))["look", "Time"]
    assert time.startswith("in the stage withheld many may still stay: nothing tells when they")
    assert "to the next 24 hours" in time  # of those who have gone there


def test_each_persona_has_a_map_and_a_small_one_loses_its_numbers_before_it_is_drawn():
    kind = ["many"] * 51 + ["few"] * 9
    who = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)], "kind": kind})
    found = mapped(log_of(), persona=who, answers=answers_of([1, 0] * 30, "web"))
    assert found.personas == ["many", "few"]
    safe = found.protect(10)
    few = safe.estimates[safe.estimates["persona"] == "few"]
    assert few["estimate"].isna().all()
    html = safe.picture(uid="f1")
    part = html[html.index(">Few<") :]
    assert "Size withheld" in part
    assert not re.findall(r"\d[\d.]*%", part)
    # What is withheld is known, and is not called missing.
    assert "surveyed, too few" in cells(part)["look", "Feeling"]
    assert "withheld" in cells(part)["look", "Time"]
    assert cells(part)["look", "Time"].endswith("● observed, too few")
    assert len(re.findall(r"<h3 ", html)) == 2


def test_whatever_the_log_says_is_text():
    settings = JourneySettings(
        outcome=["bought"],
        gap="10 days",
        stages=[
            PlannedStage(name="look", owner=HOSTILE, promise=HOSTILE),
            PlannedStage(name="buy"),
        ],
    )
    who = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)], "kind": HOSTILE})
    html = mapped(log_of(touchpoint=HOSTILE), settings, persona=who).picture(uid="f1")
    assert "<img" not in html
    assert "&lt;img" in html
    assert "\u202e" not in html
    assert " style=" not in html


def test_the_sentence_and_the_table_stand_when_all_is_withheld():
    safe = mapped(log_of(people=12)).protect(1000)
    assert safe.sentence() == "The journey of 2018Q1, in 4 stages."
    assert safe.table()["suppressed"].all()
    assert EVERYBODY not in safe.sentence()
    assert "reached by too few to show" in safe.picture(uid="f1")


def test_a_journey_that_began_late_has_not_failed_to_come():
    """Everybody buys twenty days after the first look, begun evenly over the quarter."""
    start = [pd.Timestamp("2018-01-01") + pd.Timedelta(hours=2.4 * i) for i in range(900)]
    log = pd.concat(
        [
            pd.DataFrame({"customer_id": [f"c{i}" for i in range(900)], "stage": stage,
                          "activity": activity, "occurred_at": start}).assign(
                occurred_at=lambda f, d=days: f["occurred_at"] + pd.Timedelta(days=d))
            for days, stage, activity in ((0, "look", "seen"), (20, "buy", "bought"))
        ]
    )  # fmt: skip
    rules = PLAN.model_copy(update={"gap": "30 days"})
    journeys = split_journeys(log[log["occurred_at"] < CYCLE.cutoff], rules, cutoff=CYCLE.cutoff)
    found = journey_map(journeys, cycle=CYCLE)
    assert number(found, "map.reach_share", stage="buy") == pytest.approx(1, abs=0.005)
    assert number(found, "map.ending_share", stage="look") == 0
    # Cut a month later nothing else is known of what stood at the cycle's end.
    later = split_journeys(log, rules, cutoff=parse_cycle("2018Q2").cutoff)
    again = journey_map(later, cycle=CYCLE)
    kept = ["metric", "stage", "measure", "estimate", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(found.estimates[kept], again.estimates[kept])


def test_those_who_buy_and_come_back_for_service_do_not_hide_how_many_end():
    """Half buy after two days and have service every eight: none of them falls silent."""
    rows = []
    for i in range(900):
        start = pd.Timestamp("2018-01-01") + pd.Timedelta(hours=1.3 * i)
        rows.append((f"c{i}", start, "look", "seen"))
        if i % 2:
            rows.append((f"c{i}", start + pd.Timedelta(days=2), "buy", "bought"))
            rows += [(f"c{i}", start + pd.Timedelta(days=2 + 8 * k), "use", "called")
                     for k in range(1, 12)]  # fmt: skip
    log = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "stage", "activity"])
    found = mapped(log[log["occurred_at"] < CYCLE.cutoff])
    assert number(found, "map.ending_share", stage="look") == pytest.approx(0.5, abs=0.01)
    # All who buy use it for longer than the day that is planned; judged by the silent, none did.
    assert number(found, "plan.journeys_share") == 0.5
    assert "50.0% of the journeys that come to 'look' end there" in found.sentence()


def test_the_rarest_touchpoints_are_one_and_those_planned_keep_their_name(engine):
    """Of 60 touchpoints the 20 most frequent are told apart, and the planned one that is rarest."""
    rows = [
        (f"c{k}.{i}", "look", "seen", f"spot {k:02d}", "web")
        for k in range(60) for i in range(80 - k)
    ]  # fmt: skip
    log = pd.DataFrame(rows, columns=["customer_id", "stage", "activity", "touchpoint", "channel"])
    log["occurred_at"] = pd.Timestamp("2018-02-01")
    plan = [PlannedStage(name="look", touchpoints=["spot 59"])]
    rules = JourneySettings(stages=plan, gap="10 days")
    journeys = split_journeys(engine.table(log), rules, cutoff=CYCLE.cutoff)
    found = journey_map(journeys, cycle=CYCLE)
    shares = found.estimates[found.estimates["metric"] == "map.touchpoint_share"]
    named = shares.set_index("touchpoint")["estimate"]
    assert set(named.index) == {f"spot {k:02d}" for k in (*range(20), 59)} | {ALL_OTHERS}
    assert named.sum() == pytest.approx(1)
    assert named[ALL_OTHERS] == pytest.approx(sum(80 - k for k in range(20, 59)) / len(log))
    drawn = cells(found.picture(uid="m"))["look", "Touchpoints"]
    assert "and others" in drawn
    assert ALL_OTHERS not in drawn


def test_a_refusal_comes_at_any_stage_and_reaches_none():
    """Of sixty a third are refused at once, a third in the shop, a third buy."""
    rows = []
    for i in range(60):
        start = pd.Timestamp("2018-01-08") + pd.Timedelta(hours=i)
        rows.append((f"c{i}", start, "look", "seen"))
        if i % 3:
            rows.append((f"c{i}", start + pd.Timedelta(days=1), "try", "tried"))
        last = "bought" if i % 3 == 2 else "refused"
        rows.append((f"c{i}", start + pd.Timedelta(days=2), "buy", last))
    log = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "stage", "activity"])
    rules = JourneySettings(
        outcome=["bought"], lost=["refused"], gap="10 days",
        stages=[PlannedStage(name=name) for name in ("look", "try", "buy")],
    )  # fmt: skip
    found = mapped(log, rules)
    assert number(found, "map.reach_share", stage="buy") == pytest.approx(1 / 3)
    assert number(found, "map.ending_share", stage="look") == pytest.approx(1 / 3)
    assert number(found, "map.ending_share", stage="try") == pytest.approx(1 / 2)
    # Being refused ends the stage that it comes in.
    half = found.estimates[found.estimates["metric"] == "journey.days_in_stage"]
    stays = half[half["measure"] == "lower quartile"].set_index("stage")["estimate"]
    assert stays["try"] == 0
    upper = half[half["measure"] == "upper quartile"].set_index("stage")["estimate"]
    assert (upper["try"], upper["look"]) == (1, 2)


def test_a_customer_of_two_personas_is_refused():
    who = pd.DataFrame({"customer_id": ["c1", "c1"], "kind": ["calm", "hasty"]})
    with pytest.raises(DataError, match="in one group"):
        mapped(log_of(), persona=who)


def test_small_personas_are_mapped_together_and_blank_no_other(engine):
    sizes = {"calm": 100, "hasty": 60, "rare": 12, "odd": 8}
    names = [kind for kind, n in sizes.items() for _ in range(n)]
    who = pd.DataFrame({"customer_id": [f"c{i}" for i in range(180)], "kind": names})
    log = engine.table(log_of(180))
    journeys = split_journeys(log, PLAN, cutoff=CYCLE.cutoff)
    together = personas(journeys, engine.table(who), cycle=CYCLE)
    counts = query("select persona, count(*) as n from t group by persona order by n", t=together)
    # Twenty people are too few for a map: the next smallest comes with them.
    assert list(counts.itertuples(index=False, name=None)) == [(OTHERS, 80), ("calm", 100)]
    assert personas(journeys, None, cycle=CYCLE) is None
    alone = personas(journeys, engine.table(who), cycle=CYCLE, smallest=5)
    assert len(query("select distinct persona from t order by persona", t=alone)) == 4
    with pytest.raises(Withheld, match="all are mapped together"):
        personas(journeys, engine.table(who), cycle=CYCLE, smallest=120)


def test_what_goes_wrong_with_few_is_withheld_and_not_missing():
    rules = PLAN.model_copy(update={"stages": PLAN.stages[:2]})
    log = log_of(60)
    log = log[~((log["stage"] == "look") & (log.groupby("customer_id").cumcount() == 0))]
    few = log[log["customer_id"].isin([f"c{i}" for i in range(0, 60, 3)] + ["c1", "c2"])]
    drawn = cells(mapped(few, rules).protect(10).picture(uid="f1"))
    assert drawn["look", "Pain points"] == "what goes wrong withheld ● observed, too few"


def test_a_map_that_has_aged_says_that_it_is_due_for_review():
    log = log_of(80)
    before = log.assign(
        occurred_at=log["occurred_at"] - pd.Timedelta(days=90), channel="phone",
        customer_id="x" + log["customer_id"],
    )  # fmt: skip
    journeys = split_journeys(pd.concat([before, log]), PLAN, cutoff=CYCLE.cutoff)
    for since, said in ((CYCLE.previous, True), (None, False)):
        aged = drifts(journeys, cycle=CYCLE, since=since)
        found = journey_map(journeys, cycle=CYCLE, drifted=aged)
        due = "Due for review: channels have moved since 2017Q4" in found.picture(uid="f1")
        assert due == said


def complaining(log, *, tickets=None, comments=None, themes=None, persona=None):
    """Map sixty people; 'buy' has the topic 'bill', and 'web' belongs to 'look'."""
    rules = PLAN.model_copy(update={
        "stages": [PLAN.stages[0], PlannedStage(name="buy", topics=["bill"]), *PLAN.stages[2:]],
        "themes": themes or {},
    })  # fmt: skip
    return mapped(log, rules, tickets=tickets, comments=comments, persona=persona)


def tickets_of(people, *, topic="bill", complains=True, at="2018-02-01"):
    return pd.DataFrame({"customer_id": [f"c{i}" for i in people], "topic": topic,
                         "opened_at": pd.Timestamp(at), "is_complaint": complains})  # fmt: skip


def comments_of(texts, *, rating=1, touchpoint="web", first=0):
    return pd.DataFrame(
        {
            "customer_id": [f"c{first + i}" for i in range(len(texts))], "text": texts,
            "written_at": pd.Timestamp("2018-02-01"), "touchpoint": touchpoint,
            "rating": float(rating), "scale_min": 1.0, "scale_max": 5.0,
        }
    )  # fmt: skip


def test_a_complaint_by_ticket_counts_people_on_the_map_once_in_its_stage(engine):
    tickets = pd.concat([
        tickets_of(range(12)), tickets_of(range(6)),  # six of them twice
        tickets_of(range(20, 30), complains=False), tickets_of(range(20, 25), topic="other"),
        tickets_of(range(30, 40), at="2018-04-01"), tickets_of(range(70, 80)),  # later; not mapped
    ])  # fmt: skip
    found = complaining(engine.table(log_of()), tickets=engine.table(tickets))
    row = found.estimates[found.estimates["metric"] == "map.complaint_share"].iloc[0]
    assert (row["stage"], row["complaint"]) == ("buy", "bill")
    assert (row["count"], row["n"], row["estimate"]) == (12, 60, 0.2)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((0.1183, 0.3177), abs=5e-4)
    drawn = cells(found.picture(uid="f1"))
    assert "bill 20.0% 12 people by ticket;" in drawn["buy", "Complaints"]
    assert drawn["buy", "Complaints"].endswith("● observed")
    assert drawn["look", "Complaints"].endswith("✕ missing")
    assert "topics of tickets" in drawn["look", "Complaints"]


def test_a_theme_is_found_as_whole_words_of_any_case_and_script(engine):
    themes = {
        "late": ["terlambat", "NÃO CHEGOU", "опоздала", "late"],
        "price": ["100%", "too much"],
    }
    texts = [
        "Barang TERLAMBAT-banget!", "Ainda não chegou...", "ДОСТАВКА\nОПОЗДАЛА", "Late, late, late",
        "LATE and too much",  # both themes
        "a chocolate plate", "terlambatnya", "lateness", "não, chegou bem? sim",  # of which one is
        "it costs too  much", "100 of us", None,
    ]  # fmt: skip
    glad = comments_of(["late"] * 5, rating=4, first=20)
    middle = comments_of(["late"], rating=3, first=30)
    other = comments_of(["late"] * 9, touchpoint="tv", first=40)
    nowhere = comments_of(["late"], touchpoint="moon", first=50)
    unrated = comments_of(["late"], first=51).assign(rating=np.nan)
    log = engine.table(log_of())
    said = pd.concat([comments_of(texts), glad, middle, other, nowhere, unrated])
    found = complaining(log, comments=engine.table(said), themes=themes)
    rows = found.estimates[found.estimates["metric"] == "map.theme_share"].set_index("complaint")
    assert set(rows["stage"]) == {"look"}  # to which web and tv belong; nobody rated the others
    # Of 12 displeased, 5 glad, 1 in the middle at web, and 9 displeased at tv:
    assert rows["n"].tolist() == [27, 27]
    assert rows["count"].to_dict() == {"late": 6 + 9, "price": 3}
    drawn = cells(found.picture(uid="f1"))
    assert drawn["look", "Complaints"].startswith("late 55.6% 15 people in comments;")
    assert drawn["look", "Complaints"].endswith("◆ surveyed")
    assert drawn["use", "Complaints"].endswith("✕ missing")


def test_a_comment_that_carries_its_topic_needs_no_words(engine):
    coded = comments_of(["so la la"] * 20).assign(topic=["late"] * 12 + ["else"] * 8)
    found = complaining(
        engine.table(log_of()), comments=engine.table(coded), themes={"late": [], "dear": []}
    )
    assert number(found, "map.theme_share", stage="look", complaint="late") == 0.6
    assert number(found, "map.theme_share", stage="look", complaint="dear") == 0


def test_few_complaints_are_withheld_and_none_are_not_missing():
    few = complaining(log_of(), tickets=tickets_of(range(3)))
    assert "5.0%" in cells(few.picture(uid="f1"))["buy", "Complaints"]
    hidden = cells(few.protect(10).picture(uid="f1"))["buy", "Complaints"]
    assert hidden == "complaints withheld ● observed, too few"
    # Who speaks of one thing may speak of another: a small complaint hides no other.
    mixed = comments_of(["late"] * 15 + ["dear"] * 2)
    both = complaining(log_of(), comments=mixed, themes={"late": ["late"], "dear": ["dear"]})
    safe = cells(both.protect(10).picture(uid="f1"))["look", "Complaints"]
    assert safe.startswith("late 88.2% 15 people in comments")
    assert "dear" not in safe
    none = complaining(log_of(), tickets=tickets_of(range(3), topic="other"))
    assert cells(none.picture(uid="f1"))["buy", "Complaints"].startswith("Nobody complained.")
    # What nobody complains of is not told apart from what few do.
    assert cells(none.protect(10).picture(uid="f1"))["buy", "Complaints"] == hidden


def test_each_persona_complains_for_itself(engine):
    kind = ["calm"] * 30 + ["cross"] * 30
    who = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)], "kind": kind})
    tickets = engine.table(tickets_of(range(25, 45)))
    found = complaining(engine.table(log_of()), tickets=tickets, persona=engine.table(who))
    shares = {p: number(found, "map.complaint_share", persona=p) for p in ("calm", "cross")}
    assert shares == {"calm": 5 / 30, "cross": 15 / 30}


def test_a_theme_without_a_letter_is_refused_and_what_tables_lack_is_not_guessed():
    with pytest.raises(ValueError, match="must list words"):
        JourneySettings(themes={"late": ["late", " - "]})
    found = complaining(
        log_of(), tickets=tickets_of([1]).drop(columns="topic"), themes={"late": ["late"]},
        comments=comments_of(["late"] * 20).drop(columns="rating"),
    )  # fmt: skip
    assert not found.estimates["metric"].isin(["map.complaint_share", "map.theme_share"]).any()
