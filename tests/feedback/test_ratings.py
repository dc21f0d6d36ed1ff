"""CSAT, NPS and CES of a cycle, and their change, on both engines."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import DuckEngine
from cxlab.errors import DataError, Withheld
from cxlab.feedback import ces, csat, nps
from cxlab.stats.differences import newcombe, welch
from cxlab.stats.intervals import t_mean, wilson

CYCLE = parse_cycle("2026Q3")
NOW, BEFORE = "2026-08-15", "2026-05-15"


def answers(now, before=(), *, construct="csat", scale=(1, 5), **columns):
    """Build one answer per customer: the scores given in each cycle."""
    values = [*now, *before]
    base = {
        "customer_id": [f"c{i}" for i in range(len(values))],
        "answered_at": pd.to_datetime([NOW] * len(now) + [BEFORE] * len(before)),
        "construct": construct,
        "value": pd.Series(values, dtype="float64"),
        "scale_min": scale[0],
        "scale_max": scale[1],
        "reversed": False,
    }
    return pd.DataFrame({**base, **columns})


def row(result, metric, **dims):
    found = result.estimates[result.estimates["metric"] == metric]
    for name, group in dims.items():
        found = found[found[name] == group]
    assert len(found) == 1, found
    return found.iloc[0]


def ends(estimate):
    return (estimate["estimate"], estimate["conf_low"], estimate["conf_high"])


HAPPY = [5] * 50 + [4] * 20 + [3] * 10 + [1] * 20
BETTER = [5] * 60 + [4] * 24 + [3] * 6 + [1] * 10


def test_csat_counts_the_top_two_points_with_wilsons_interval(engine):
    found = csat(engine.table(answers(HAPPY)), cycle=CYCLE)
    top = row(found, "csat.top_box_share")
    expected = wilson(70, 100)
    assert ends(top) == pytest.approx((expected.estimate, expected.low, expected.high), rel=1e-12)
    assert (top["n"], top["unit"]) == (100, "share")
    mean = row(found, "csat.mean")
    plain = t_mean(100, sum(HAPPY), sum(v * v for v in HAPPY))
    assert ends(mean) == pytest.approx((plain.estimate, plain.low, plain.high), rel=1e-9)


def test_csat_of_other_people_changes_by_newcombes_and_welchs_intervals(engine):
    found = csat(engine.table(answers(BETTER, HAPPY)), cycle=CYCLE)
    expected = newcombe(84, 100, 70, 100)
    assert ends(row(found, "csat.change")) == pytest.approx(
        (expected.estimate, expected.low, expected.high), rel=1e-9
    )
    assert "Newcombe" in row(found, "csat.change")["method"]
    sums = [(100, sum(x), sum(v * v for v in x)) for x in (BETTER, HAPPY)]
    by_mean = welch(*sums)
    assert ends(row(found, "csat.mean_change")) == pytest.approx(
        (by_mean.estimate, by_mean.low, by_mean.high), rel=1e-9
    )
    assert "higher than in 2026Q2: +14.0 points" in found.sentence()


def test_the_scores_add_up_and_those_nobody_gave_are_there(engine):
    found = csat(engine.table(answers(HAPPY)), cycle=CYCLE)
    shares = found.estimates[found.estimates["metric"] == "csat.share"]
    assert shares["score"].tolist() == ["1", "2", "3", "4", "5"]
    assert shares["count"].tolist() == [20, 0, 10, 20, 50]
    assert shares["estimate"].sum() == pytest.approx(1, abs=1e-12)


def test_nps_is_the_published_one_with_its_adjusted_interval(engine):
    given_ = [10] * 15 + [8] * 13 + [3] * 8  # 15 promoters, 13 passives, 8 detractors
    found = nps(engine.table(answers(given_, construct="nps", scale=(0, 10))), cycle=CYCLE)
    score = row(found, "nps.score")
    assert ends(score) == pytest.approx((19.444444, -6.280259, 42.177695), abs=5e-7)  # as printed
    assert score["unit"] == "nps"
    assert "The Net Promoter Score of 36 answers is 19.4" in found.sentence()


def test_the_ends_of_a_perfect_nps_stay_on_the_scale():
    found = nps(answers([10] * 10, [9] * 12, construct="nps", scale=(0, 10)), cycle=CYCLE)
    score, change = row(found, "nps.score"), row(found, "nps.change")
    assert (score["estimate"], score["conf_high"]) == (100, 100)
    assert change["conf_low"] < 0 == change["estimate"] < change["conf_high"]


def test_a_reversed_effort_question_is_turned(engine):
    easy = [7] * 30 + [6] * 20 + [4] * 10
    turned = answers(easy, construct="ces", scale=(1, 7)).assign(
        value=[8.0 - v for v in easy], reversed=True
    )
    plain = ces(engine.table(answers(easy, construct="ces", scale=(1, 7))), cycle=CYCLE)
    found = ces(engine.table(turned), cycle=CYCLE)
    pd.testing.assert_frame_equal(found.estimates, plain.estimates)
    assert found.sentence().startswith("Ease is 6.17 on a scale of 1 to 7 in 60 answers")


def repeated(n, *, seed):
    """Customers who answer in both cycles, much alike each time."""
    rng = np.random.default_rng(seed)
    mood = rng.integers(2, 6, n)
    parts = [
        answers(np.clip(mood + rng.integers(0, 2, n) * shift, 1, 5)).assign(
            answered_at=pd.Timestamp(when)
        )
        for when, shift in ((BEFORE, -1), (NOW, 0))
    ]
    return pd.concat(parts, ignore_index=True)


def test_customers_who_answer_in_both_cycles_are_drawn_together(engine):
    data = repeated(120, seed=3)
    linked = csat(engine.table(data), cycle=CYCLE)
    apart = csat(
        engine.table(data.assign(customer_id=[str(i) for i in range(len(data))])), cycle=CYCLE
    )
    change, alone = row(linked, "csat.change"), row(apart, "csat.change")
    assert "cluster bootstrap" in change["method"]
    assert change["estimate"] == pytest.approx(alone["estimate"], abs=1e-12)
    assert change["conf_high"] - change["conf_low"] < 0.8 * (alone["conf_high"] - alone["conf_low"])


def test_both_engines_and_any_order_of_rows_give_the_same_numbers(engine):
    data = repeated(80, seed=4)
    here = csat(data, cycle=CYCLE)
    shuffled = data.sample(frac=1, random_state=1)
    there = csat(engine.table(shuffled), cycle=CYCLE)
    pd.testing.assert_frame_equal(here.estimates, there.estimates, check_exact=True)


def test_thousands_of_answers_of_one_customer_do_not_overflow(engine):
    many = [10] * 1_500 + [2] * 600
    data = answers(many, many[:-1], construct="nps", scale=(0, 10))
    data["customer_id"] = data["value"].astype(int).astype(str)  # two customers, both cycles
    found = nps(engine.table(data), cycle=CYCLE)
    assert row(found, "nps.score")["estimate"] == pytest.approx(100 * 900 / 2_100)
    assert row(found, "nps.score")["n"] == 2_100


def test_saying_everything_three_times_adds_nothing():
    once = answers(HAPPY)
    thrice = pd.concat([once] * 3, ignore_index=True)
    single, found = csat(once, cycle=CYCLE), csat(thrice, cycle=CYCLE)
    for metric in ("csat.top_box_share", "csat.mean"):
        one, three = row(single, metric), row(found, metric)
        assert three["estimate"] == pytest.approx(one["estimate"], rel=1e-12)
        assert three["n"] == 300
        # Not narrower; a little wider, for the quantile over 100 customers.
        width, width_once = (
            three["conf_high"] - three["conf_low"],
            one["conf_high"] - one["conf_low"],
        )
        assert width_once <= width < 1.05 * width_once
    assert "answered more than once" in found.note


def test_more_kinds_of_customers_than_may_leave_the_engine_still_have_an_interval(monkeypatch):
    data = repeated(120, seed=3)
    by_bootstrap = row(csat(data, cycle=CYCLE), "csat.change")
    monkeypatch.setattr("cxlab.feedback.marks.Marks.kinds", None)
    closed = row(csat(data, cycle=CYCLE), "csat.change")
    assert "MOVER" in closed["method"]
    # Two methods for one interval of width 0.2.
    assert ends(closed) == pytest.approx(ends(by_bootstrap), abs=0.02)


def test_answers_without_a_value_are_in_no_denominator_and_are_counted():
    found = csat(answers([*HAPPY, None, None, None]), cycle=CYCLE)
    assert row(found, "csat.top_box_share")["n"] == 100
    assert "3 answers without a valid value" in found.note


def test_a_value_that_is_no_number_counts_as_missing():
    table = pa.Table.from_pandas(answers(HAPPY), preserve_index=False)
    values = pa.array([float("nan"), *HAPPY[1:]], type=pa.float64())  # NaN, which is no null
    place = table.column_names.index("value")
    found = csat(table.set_column(place, "value", values), cycle=CYCLE)
    assert row(found, "csat.top_box_share")["n"] == 99
    assert "1 answer without a valid value" in found.note


def test_two_scales_in_one_cycle_are_refused_and_named():
    mixed = answers(HAPPY)
    mixed.loc[:9, ["scale_min", "scale_max"]] = [0, 10]
    with pytest.raises(DataError, match=r"0 to 10 \(10 answers\); 1 to 5 \(90 answers\)"):
        csat(mixed, cycle=CYCLE)


def test_another_scale_in_the_cycle_before_is_a_break_not_a_change():
    data = answers(HAPPY, HAPPY)
    data.loc[100:, ["scale_min", "scale_max"]] = [0, 10]
    found = csat(data, cycle=CYCLE)
    assert "csat.change" not in set(found.estimates["metric"])
    assert "the scale was 0 to 10 in 2026Q2" in found.sentence()


@pytest.mark.parametrize("value", [9, 0, float("inf")])
def test_a_value_outside_its_scale_is_refused(value):
    with pytest.raises(DataError, match=f"between 1 and 5, but 1 answers in 2026Q3 .*{value:g}"):
        csat(answers([*HAPPY, value]), cycle=CYCLE)


def test_nps_on_five_points_is_refused():
    with pytest.raises(DataError, match="nps must be asked on 0 to 10, but in 2026Q3 has 1 to 5"):
        nps(answers(HAPPY, construct="nps"), cycle=CYCLE)


def test_a_scale_of_two_points_has_no_top_two():
    with pytest.raises(DataError, match="three points or more"):
        csat(answers([0, 1] * 10, scale=(0, 1)), cycle=CYCLE)


def test_a_scale_upside_down_is_refused():
    with pytest.raises(DataError, match="least value is below its greatest"):
        csat(answers(HAPPY, scale=(5, 1)), cycle=CYCLE)


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column 'scale_max'"):
        csat(answers(HAPPY).drop(columns="scale_max"), cycle=CYCLE)


@pytest.mark.parametrize(
    ("given_", "reason"),
    [([], "Nobody answered"), ([5] * 9, "Too few answers: csat in 2026Q3 has 9")],
)
def test_too_few_answers_are_withheld(given_, reason):
    with pytest.raises(Withheld, match=reason):
        csat(answers(given_, [5] * 20), cycle=CYCLE)


def test_an_empty_table_is_withheld(engine):
    with pytest.raises(Withheld, match="Nobody answered"):
        csat(engine.table(answers(HAPPY).iloc[:0]), cycle=CYCLE)


def test_answers_to_something_else_are_not_counted():
    other = answers([1] * 30, construct="driver", scale=(0, 10))
    found = csat(pd.concat([answers(HAPPY), other], ignore_index=True), cycle=CYCLE)
    assert row(found, "csat.top_box_share")["n"] == 100


def test_other_names_for_the_same_customers_change_nothing():
    data = repeated(60, seed=5)
    renamed = data.assign(customer_id="ß-" + data["customer_id"].str[::-1])
    pd.testing.assert_frame_equal(
        csat(data, cycle=CYCLE).estimates, csat(renamed, cycle=CYCLE).estimates
    )


def test_a_segment_without_customers_changes_nothing():
    data = answers(HAPPY)
    segments = pd.DataFrame({"customer_id": data["customer_id"], "segment": "a"})
    ghost = pd.concat([segments, pd.DataFrame({"customer_id": ["x"], "segment": ["ghost"]})])
    found, plain = (csat(data, cycle=CYCLE, by=by).estimates for by in (ghost, segments))
    pd.testing.assert_frame_equal(found, plain)


def test_many_answers_of_one_customer_are_withheld():
    with pytest.raises(Withheld, match="one customer only"):
        csat(answers(HAPPY).assign(customer_id="c1"), cycle=CYCLE)


@pytest.mark.parametrize(
    ("before", "words"), [([], "2026Q2 has no answers"), ([5] * 9, "fewer than 10 answers")]
)
def test_without_a_cycle_before_there_is_no_change_and_the_sentence_says_so(before, words):
    found = csat(answers(HAPPY, before), cycle=CYCLE)
    assert not found.estimates["metric"].str.contains("change").any()
    assert "nothing to compare with" in found.sentence()
    assert words in found.sentence()


def test_no_detectable_change_says_what_could_have_been_seen():
    said = csat(answers(HAPPY, HAPPY), cycle=CYCLE).sentence()
    assert "no detectable change from 2026Q2: 0.0 points" in said
    # 80 % power: half the interval times 2.80 / 1.96, of 70 % in 100 and 100 answers.
    assert "we could have seen ±17.9 points" in said


def test_a_fall_is_said_as_one():
    assert (
        ", lower than in 2026Q2: −14.0 points"
        in csat(answers(HAPPY, BETTER), cycle=CYCLE).sentence()
    )


def test_a_cycle_is_half_open():
    edges = answers([5] * 12).assign(
        answered_at=[CYCLE.start, CYCLE.cutoff, *[pd.Timestamp(NOW)] * 10]
    )
    assert row(csat(edges, cycle=CYCLE), "csat.top_box_share")["n"] == 11


def test_answers_of_a_later_cycle_change_nothing():
    data = answers(HAPPY, BETTER)
    later = answers([1] * 30).assign(answered_at=CYCLE.cutoff)
    here = csat(data, cycle=CYCLE)
    there = csat(pd.concat([data, later], ignore_index=True), cycle=CYCLE)
    pd.testing.assert_frame_equal(here.estimates, there.estimates)


def test_all_agreeing_leaves_room_for_doubt():
    found = csat(answers([5] * 20, [5] * 30), cycle=CYCLE)
    for metric in ("csat.top_box_share", "csat.mean", "csat.change", "csat.mean_change"):
        estimate = row(found, metric)
        assert estimate["conf_low"] < estimate["conf_high"]


def test_the_same_customers_agreeing_twice_leave_room_for_doubt_too():
    data = answers([5] * 20, [5] * 20).assign(customer_id=[f"c{i % 20}" for i in range(40)])
    change = row(csat(data, cycle=CYCLE), "csat.change")
    assert change["conf_low"] < 0 < change["conf_high"]


def test_groups_are_rows_of_the_same_metrics(engine):
    data = answers(HAPPY, BETTER, touchpoint=["shop"] * 60 + ["call"] * 40 + ["shop", "call"] * 50)
    found = csat(engine.table(data), cycle=CYCLE, by="touchpoint")
    tops = found.headline.set_index("touchpoint")
    assert tops["n"].to_dict() == {"call": 40, "shop": 60}
    assert tops.loc["shop", "estimate"] == 1.0
    assert tops.loc["call", "estimate"] == 0.25
    assert set(found.estimates["metric"]) == {
        "csat.top_box_share", "csat.mean", "csat.change", "csat.mean_change"
    }  # fmt: skip
    assert "runs from 25.0% for call (14.2 to 40.2%) to 100.0% for shop" in found.sentence()


def test_groups_may_come_from_a_table_of_customers(engine):
    segments = pd.DataFrame({"customer_id": [f"c{i}" for i in range(70)], "segment": "kéy ✓"})
    found = csat(engine.table(answers(HAPPY)), cycle=CYCLE, by=engine.table(segments))
    assert found.headline.set_index("segment")["n"].to_dict() == {"kéy ✓": 70, "not known": 30}


def test_a_group_with_few_answers_is_withheld_and_the_sentence_counts_it():
    data = answers(HAPPY, touchpoint=["shop"] * 60 + ["call"] * 33 + ["fair"] * 7)
    found = csat(data, cycle=CYCLE, by="touchpoint")
    fair = row(found, "csat.top_box_share", touchpoint="fair")
    assert fair["suppressed"]
    assert np.isnan(fair["estimate"])
    assert "1 group is withheld" in found.sentence()
    assert found.plot() is not None


def test_groups_that_are_all_small_are_withheld_together():
    data = answers([5] * 18, touchpoint=["shop"] * 9 + ["call"] * 9)
    with pytest.raises(Withheld, match="fewer than 10 in every group"):
        csat(data, cycle=CYCLE, by="touchpoint")


def test_one_small_score_hides_all_scores_but_not_the_rating():
    safe = csat(answers(HAPPY), cycle=CYCLE).protect(10)  # nobody gave a 2
    scores = safe.estimates[safe.estimates["metric"] == "csat.share"]
    assert scores["suppressed"].all()
    assert scores[["estimate", "conf_low", "conf_high", "n", "count"]].isna().all(axis=None)
    assert row(safe, "csat.top_box_share")["estimate"] == 0.7
    assert safe.plot() is None  # an empty chart would say nothing
    assert safe.table()["metric"].tolist() == ["csat.top_box_share", "csat.mean"]
    assert safe.table()["unit"].tolist() == ["share", "points"]
    assert "each score was given is withheld" in safe.note


def test_many_answers_of_two_customers_are_about_two_people(engine):
    data = answers([5] * 15 + [2] * 15).assign(customer_id=[*"abc"] * 5 + [*"ab"] * 7 + ["a"])
    found = csat(engine.table(data), cycle=CYCLE)
    assert row(found, "csat.top_box_share")["count"] == 3
    shares = found.estimates[found.estimates["metric"] == "csat.share"]
    assert shares["count"].tolist() == [0, 2, 0, 0, 3]
    safe = found.protect(10)
    assert safe.estimates["suppressed"].all()
    assert safe.estimates["estimate"].isna().all()


@pytest.mark.parametrize("few", ["now", "before"])
def test_a_change_is_about_the_people_of_its_smaller_side(few):
    few_customers, many = [f"a{i % 2}" for i in range(30)], [f"b{i}" for i in range(30)]
    sides = few_customers + many if few == "now" else many + few_customers
    data = answers([5, 2] * 15, [5, 2] * 15).assign(customer_id=sides)
    found = csat(data, cycle=CYCLE)
    assert row(found, "csat.change")["count"] == 2
    assert row(found.protect(10), "csat.change")["suppressed"]


def test_a_small_rating_is_withheld_in_words_too():
    safe = csat(answers([5] * 12 + [2] * 3), cycle=CYCLE).protect(20)
    assert safe.sentence() == ("Customer satisfaction is withheld: too few people stand behind it.")
    grouped = csat(answers([5] * 15, touchpoint="shop"), cycle=CYCLE, by="touchpoint").protect(20)
    assert "withheld" in grouped.sentence()


def test_findings_are_plain_json():
    found = csat(answers(BETTER, HAPPY), cycle=CYCLE).protect(10).findings()
    back = json.loads(json.dumps(found, allow_nan=False))
    change = next(f for f in back if f["metric"] == "csat.change")
    assert (change["dims"], change["unit"], change["n"]) == ({}, "share", 200)


def test_the_frame_handed_in_is_unchanged():
    data = answers(BETTER, HAPPY, touchpoint="shop")
    kept = data.copy(deep=True)
    csat(data, cycle=CYCLE, by="touchpoint")
    pd.testing.assert_frame_equal(data, kept)


def test_answers_stay_in_the_engine():
    engine = DuckEngine()
    many = pd.concat([answers(HAPPY, BETTER)] * 200, ignore_index=True)
    csat(engine.table(many), cycle=CYCLE)
    assert engine.longest_answer < 50


@settings(max_examples=25, deadline=None)  # each example asks the engine a few questions
@given(
    st.lists(st.integers(1, 5), min_size=10, max_size=40),
    st.lists(st.integers(1, 5), min_size=10, max_size=40),
)
def test_estimates_lie_in_their_intervals_and_intervals_on_their_scales(now, before):
    found = csat(answers(now, before), cycle=CYCLE).estimates.set_index("metric")
    assert (found["conf_low"] <= found["estimate"] + 1e-12).all()
    assert (found["estimate"] <= found["conf_high"] + 1e-12).all()
    for metric, low, high in (
        ("csat.top_box_share", 0, 1), ("csat.mean", 1, 5), ("csat.change", -1, 1),
    ):  # fmt: skip
        assert low <= found.loc[metric, "conf_low"] <= found.loc[metric, "conf_high"] <= high
