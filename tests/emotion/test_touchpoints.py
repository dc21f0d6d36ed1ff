"""What is felt at a touchpoint: scales, sources, clusters, and the truth of made-up answers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlab as cx
from cxlab.data.calendar import parse_cycle
from cxlab.emotion import felt
from cxlab.errors import DataError, Withheld
from cxlab.stats.intervals import t_mean, wilson

CYCLE = parse_cycle("2026Q3")
NOW = pd.Timestamp("2026-08-01")


def asked(
    values, *, at="delivery", construct="emotion", dimension="valence", scale=(-3, 3), **more
):
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(len(values))], "answered_at": NOW,
            "construct": construct, "dimension": dimension, "touchpoint": at,
            "value": pd.Series(values, dtype=float), "scale_min": scale[0],
            "scale_max": scale[1], "reversed": False, **more,
        }
    )  # fmt: skip


def row(result, **dims):
    rows = result.estimates
    for name, value in dims.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_a_scale_is_stretched_to_plus_and_minus_one(engine):
    given = [3] * 8 + [0] * 6 + [-3] * 6
    found = row(felt(engine.table(asked(given)), cycle=CYCLE), touchpoint="delivery")
    expected = t_mean(20, 2, 14)  # eight of +1, six of -1
    assert found["estimate"] == pytest.approx(0.1)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((expected.low, expected.high))
    assert (found["n"], found["source"]) == (20, "survey, feeling")


def test_a_reversed_question_is_turned_and_other_scales_mean_the_same():
    plain, turned = asked([1, 2] * 10), asked([-1, -2] * 10, at="shop", reversed=True)
    faces = asked([3 + 2 / 3, 3 + 4 / 3] * 10, at="web", scale=(1, 5))
    found = felt(pd.concat([plain, turned, faces]), cycle=CYCLE).estimates["estimate"]
    assert found.to_numpy() == pytest.approx([0.5] * 3)


def test_several_answers_of_one_customer_are_worth_less():
    once = asked([3, -3] * 20)
    often = once.assign(customer_id=[f"c{i // 8 * 2 + i % 2}" for i in range(40)])
    wide, narrow = (row(felt(t, cycle=CYCLE), touchpoint="delivery") for t in (often, once))
    assert wide["n"] == narrow["n"] == 40
    assert wide["conf_high"] - wide["conf_low"] > 1.8 * (narrow["conf_high"] - narrow["conf_low"])


def test_named_emotions_are_shares_and_stay_apart_from_the_valence():
    joy = asked([5] * 12 + [2] * 28, dimension="joy", scale=(1, 5))
    found = felt(pd.concat([asked([1] * 20 + [0] * 20), joy]), cycle=CYCLE)
    share = row(found, metric="emotion.share")
    expected = wilson(12, 40)
    assert (share["estimate"], share["conf_low"]) == pytest.approx((0.3, expected.low))
    assert share["emotion"] == "joy"
    assert row(found, metric="emotion.valence")["estimate"] == pytest.approx(1 / 6)


def test_satisfaction_stands_in_under_its_own_name_only_where_no_feeling_was_asked():
    content = asked([5, 4] * 10, construct="csat", dimension=None, scale=(1, 5))
    found = felt(content, cycle=CYCLE)
    assert found.estimates["metric"].tolist() == ["emotion.satisfaction"]
    assert "No feeling was asked" in found.note
    both = felt(pd.concat([content, asked([0, -1] * 10, at="shop")]), cycle=CYCLE)
    assert both.estimates["metric"].tolist() == ["emotion.valence"]
    assert both.estimates["touchpoint"].tolist() == ["shop"]


def test_answers_about_a_touchpoint_count_in_each_of_its_stages_and_personas(engine):
    by = pd.DataFrame({"touchpoint": ["web", "web", "shop"], "stage": ["look", "buy", "buy"]})
    answers = pd.concat([asked([3] * 20, at="web"), asked([0] * 20, at="shop")])
    who = pd.DataFrame({"customer_id": [f"c{i}" for i in range(10)], "kind": "new"})
    found = felt(engine.table(answers), cycle=CYCLE, by=by, persona=engine.table(who))
    alone = found.estimates[found.estimates["persona"].isna()].set_index("stage")["estimate"]
    assert alone.to_dict() == pytest.approx({"look": 1.0, "buy": 0.5})
    new = found.estimates[found.estimates["persona"] == "new"].set_index("stage")
    assert new["n"].to_dict() == {"look": 10, "buy": 20}
    assert "counts in each stage" in found.note


def test_few_answers_are_withheld_and_none_at_all_say_what_to_ask():
    few = felt(pd.concat([asked([1] * 9), asked([1] * 30, at="shop")]), cycle=CYCLE)
    assert row(few, touchpoint="delivery")["suppressed"]
    with pytest.raises(Withheld, match="how did you feel"):
        felt(asked([1] * 30, construct="nps"), cycle=CYCLE)
    with pytest.raises(DataError, match="must lie on its scale, but 30"):
        felt(asked([4] * 30), cycle=CYCLE)


def test_all_of_one_mind_have_an_interval_with_some_width():
    found = row(felt(asked([3] * 20), cycle=CYCLE), touchpoint="delivery")
    assert found["estimate"] == found["conf_high"] == 1
    assert found["conf_low"] < 0.75  # twenty of one mind do not speak for all


def test_intervals_cover_the_truth_where_moods_tie_a_customers_answers():
    rng = np.random.default_rng(4)
    true, runs = 0.2, 400  # each touchpoint is a study of its own
    mood = np.repeat(rng.normal(0, 0.25, (runs, 60)), 3)
    values = rng.binomial(6, np.clip((1 + true + mood) / 2, 0, 1)) - 3
    run, who = np.repeat(np.arange(runs), 180), np.tile(np.repeat(np.arange(60), 3), runs)
    ids = [f"c{i}" for i in who]
    found = felt(asked(values, at=[f"t{i}" for i in run], customer_id=ids), cycle=CYCLE).estimates
    hit = ((found["conf_low"] <= true) & (true <= found["conf_high"])).mean()
    assert 0.915 <= hit <= 0.985  # 95 % within three standard errors of a share of 400


@pytest.mark.slow
def test_the_sample_companys_feelings_are_found():
    from cxlab.data.sample.company import Company

    lab = cx.open(Path(__file__).parents[2] / "params" / "sample", cycle="2026Q3")
    found = felt(lab.answers, cycle=lab.cycle).estimates.set_index("touchpoint")
    true = pd.Series(Company().emotion).reindex(found.index)
    covered = (found["conf_low"] <= true) & (true <= found["conf_high"])
    assert len(found) == len(Company().emotion)
    assert covered.sum() >= 9, json.dumps(found["estimate"].to_dict())  # of eleven, at 95 %
