"""Satisfaction and answers are drawn from the company's numbers: recover them."""

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from cxlab.data.sample.company import DRIVERS, PERSONALITY, company
from cxlab.data.sample.expectations import truth_of_answers, truth_of_promoters
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.questions import CODES
from cxlab.data.sample.simulate import STEPS
from cxlab.data.sample.surveys import simulate_answers
from cxlab.data.sample.world import World


@cache
def made(variant="base", count=12_000):
    world = World(company(variant), 9)
    tables = {"people": simulate_people(world, 0, count)}
    for step in STEPS[: STEPS.index(simulate_answers) + 1]:
        tables |= step(world, tables)
    return world, tables


def least_squares(columns, y):
    """Return coefficients and standard errors; the first column is the intercept."""
    x = np.column_stack([np.ones(len(y)), *columns]).astype(float)
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    rest = y - x @ beta
    return beta, np.sqrt(np.diag(inverse) * rest.var())


@pytest.mark.parametrize("variant", ["base", "null"])
def test_satisfaction_is_driven_by_drivers_delays_and_the_notice_as_the_company_says(variant):
    world, tables = made(variant)
    moods = tables["true_moods"]
    moods = moods[moods["kind"] == "order"]
    company_ = world.company
    person = tables["people"].iloc[moods["person"]]
    placed = tables["orders"].set_index("order")["placed_at"].loc[moods["order"]].to_numpy()
    names = [i.name for i in company_.initiatives]
    told = world.treated(names.index("delay notice"), person, placed)
    late = moods["is_late"].to_numpy()
    segment = pd.get_dummies(person["segment"]).to_numpy()[:, 1:].T
    place = person["region"].cat.codes.to_numpy() * 12 + world.quarter(moods["at"].to_numpy())
    # Region and quarter are taken out by their own cells.
    columns = [late, late & told, *(moods[d] for d in DRIVERS), person["mood"],
               person["attachment"], *segment]  # fmt: skip
    frame = pd.DataFrame({str(i): np.asarray(c, dtype=float) for i, c in enumerate(columns)})
    within = frame - frame.groupby(place).transform("mean")
    latent = moods["latent"].reset_index(drop=True)
    beta, error = least_squares(
        [within[c] for c in within], latent - latent.groupby(place).transform("mean")
    )
    segments = [s.mood for s in company_.segments]
    truth = [
        0,
        company_.late_pain,
        0.5 if variant == "base" else 0.0,  # what the delay notice takes away
        *(company_.drivers[d] for d in DRIVERS),
        company_.feelings.person_mood,
        company_.feelings.attachment_mood,
        *(np.array(segments[1:]) - segments[0]),
    ]
    assert (np.abs(beta - truth) < 4.5 * error + 1e-9).all()


@pytest.mark.parametrize("variant", ["base", "null"])
def test_after_a_ticket_slowness_and_the_chatbot_change_the_mood_as_said(variant):
    world, tables = made(variant)
    moods = tables["true_moods"]
    moods = moods[moods["kind"] == "ticket"]
    tickets = tables["tickets"].set_index("ticket").loc[moods["ticket"]]
    chatbot = world.quarter_starts[8]
    known = [s.mood for s in world.company.segments]
    person = tables["people"].iloc[moods["person"]]
    region = person["region"].cat.codes.to_numpy()
    base = np.array(known)[person["segment"].cat.codes.to_numpy()]
    base = base + world.region_mood[region, world.quarter(moods["at"].to_numpy())]
    after = (tickets["opened_at"] >= chatbot).to_numpy()
    beta, error = least_squares([tickets["true_slow"], after], moods["latent"].to_numpy() - base)
    effect = -0.5 if variant == "base" else 0.0
    # Errors of a person's tickets are related; 4.5 leaves room for that.
    assert (np.abs(beta - [0, world.company.service_pain, effect]) < 4.5 * error).all()


def test_marks_are_as_often_high_as_expected():
    _, tables = made()
    scores = tables["true_scores"]
    noise = np.sqrt(0.25 * scores["occasions"])
    # A person's orders share their mood, so counts vary more than those of coins.
    assert (np.abs(scores["top_box"] - scores["expected_top_box"]) < 6 * noise).all()
    assert scores["top_box"].sum() / scores["occasions"].sum() == pytest.approx(
        scores["expected_top_box"].sum() / scores["occasions"].sum(), abs=0.01
    )
    assert scores["effort_sum"].sum() / scores["occasions"].sum() == pytest.approx(
        scores["expected_effort_sum"].sum() / scores["occasions"].sum(), abs=0.04
    )


def test_promoters_are_as_many_as_the_formula_says():
    world, tables = made()
    asked = tables["invitations"]
    asked = asked[asked["survey"] == "relational"]
    cuts = world.company.feelings.promoter_thresholds
    truth = truth_of_promoters(world).set_index("quarter")
    # All who are asked, answering or not; organisations are asked more often.
    weight = 1 / asked["selection_prob"]
    latent = asked["true_latent"]
    table = pd.DataFrame(
        {"quarter": asked["trigger"], "promoters": weight * (latent >= cuts[8]),
         "detractors": weight * (latent < cuts[6]), "weight": weight}
    ).groupby("quarter").sum()  # fmt: skip
    for name in ("promoters", "detractors"):
        share = table[name] / table["weight"]
        noise = np.sqrt(0.25 * 1.2 / asked.groupby("trigger").size())  # 1.2: unequal weights
        assert (np.abs(share - truth[name]) < 4.5 * noise).all()


@pytest.mark.parametrize("variant", ["base", "misspecified"])
def test_who_answers_depends_on_contact_and_in_one_variant_on_satisfaction(variant):
    world, tables = made(variant)
    sent = tables["invitations"].dropna(subset="delivered_at")
    sent = sent[(sent["survey"] == "relational") & (sent["sent_at"] < world.end)]
    orders = tables["orders"][["person", "placed_at"]]
    tickets = tables["tickets"][["person", "opened_at"]]
    met = pd.concat([orders, tickets.rename(columns={"opened_at": "placed_at"})])
    met = met.merge(sent[["person", "invitation", "sent_at"]], on="person")
    near = (met["placed_at"] < met["sent_at"]) & (
        met["placed_at"] >= met["sent_at"] - pd.Timedelta(days=30)
    )
    recent = sent["invitation"].isin(met.loc[near, "invitation"]).to_numpy()
    response = world.company.response
    chance = expit(
        response["base"]
        + response["recent_contact"] * recent
        + response["satisfaction"] * sent["true_latent"].to_numpy()
    )
    assert np.allclose(chance, sent["true_response"])
    answered = sent["finished_at"].notna()
    for group in (recent, ~recent, sent["true_latent"] < -0.5, sent["true_latent"] > 0.5):
        noise = np.sqrt(0.25 / group.sum())
        assert answered[group].mean() == pytest.approx(chance[group].mean(), abs=4 * noise)
    gap = answered[sent["true_latent"] > 0.5].mean() - answered[sent["true_latent"] < -0.5].mean()
    assert (gap > 0.1) == (variant == "misspecified")


def test_perceived_personality_and_importance_have_the_means_of_the_company():
    world, tables = made()
    answers = tables["answers"]
    turned = np.where(
        answers["reversed"],
        answers["scale_min"] + answers["scale_max"] - answers["value"],
        answers["value"],
    )
    answers = answers.assign(felt=turned)
    for construct, truth in (
        ("personality", world.company.perceived),
        ("importance", world.company.feelings.importance),
    ):
        found = answers[answers["construct"] == construct].groupby("dimension", observed=True)
        for dimension, rows in found["felt"]:
            # Three items of a person are related: their errors do not shrink by sqrt(3).
            noise = 1.7 * rows.std() / np.sqrt(len(rows))
            assert rows.mean() == pytest.approx(truth[dimension], abs=4 * noise)


def test_each_personality_scale_is_reliable():
    _, tables = made()
    answers = tables["answers"]
    answers = answers[answers["construct"] == "personality"]
    wide = answers.pivot_table(
        index="response", columns="question", values="value", observed=True
    ).dropna()
    for trait in PERSONALITY:
        items = wide[[f"{trait}_{i}" for i in (1, 2, 3)]].astype(float)
        items[f"{trait}_3"] = 6 - items[f"{trait}_3"]
        r = items.corr().to_numpy()
        # One factor with three items has these loadings exactly; omega by McDonald (1999).
        load = np.sqrt([r[0, 1] * r[0, 2] / r[1, 2], r[0, 1] * r[1, 2] / r[0, 2],
                        r[0, 2] * r[1, 2] / r[0, 1]])  # fmt: skip
        omega = load.sum() ** 2 / (load.sum() ** 2 + (1 - load**2).sum())
        assert omega == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("variant", ["base", "null"])
def test_emotions_have_the_valence_of_their_touchpoint(variant):
    world, tables = made(variant)
    answers = tables["answers"]
    emotions = answers[answers["construct"] == "emotion"]
    for touchpoint, rows in emotions.groupby("touchpoint", observed=True)["value"]:
        noise = rows.std() / np.sqrt(len(rows))
        # Persons answer more than once, in one mood: 5 instead of 4 standard errors.
        assert rows.mean() == pytest.approx(3 * world.company.emotion[touchpoint], abs=5 * noise)
    assert set(emotions["touchpoint"].unique()) == set(world.company.emotion)


def test_answers_stay_on_their_scales_and_are_given_once():
    _, tables = made()
    answers = tables["answers"]
    assert answers["value"].between(answers["scale_min"], answers["scale_max"]).all()
    assert not answers.duplicated(["response", "question"]).any()
    assert set(answers["question"].unique()) == set(CODES)
    sent = tables["invitations"].set_index("invitation").loc[answers["invitation"]]
    assert (sent["finished_at"].to_numpy() == answers["answered_at"].to_numpy()).all()
    path = ["sent_at", "delivered_at", "opened_at", "started_at", "finished_at"]
    invitations = tables["invitations"]
    for before, after in pairwise(path):
        there = invitations[after].notna()
        assert (invitations.loc[there, before] <= invitations.loc[there, after]).all()


def test_a_tickets_answers_are_those_of_its_own_occasion():
    _, tables = made()
    answers, moods = tables["answers"], tables["true_moods"]
    given = answers[answers["question"] == "csat"].merge(
        tables["invitations"][["invitation", "true_row", "trigger", "trigger_type"]],
        on="invitation",
    )
    occasion = moods.iloc[given["true_row"]]
    assert (occasion["mark"].to_numpy() == given["value"].to_numpy()).all()
    by_ticket = (given["trigger_type"] == "ticket").to_numpy()
    number = np.where(by_ticket, occasion["ticket"], occasion["order"])
    assert (number == given["trigger"].to_numpy()).all()


def test_what_customers_of_no_study_would_answer_is_what_the_study_s_customers_do():
    world, tables = made()
    truth = truth_of_answers(world, customers=10_000).set_index(["measure", "about", "quarter"])
    truth = truth.sort_index()
    scores = tables["true_scores"].set_index(["kind", "quarter"]).loc["order"]
    expected = truth["truth"].loc["csat top box", "order"]
    # Two draws of the mix of customers and one of their marks; a person's marks are related.
    noise = np.sqrt(0.25 / scores["occasions"]) * np.sqrt(2) * 1.3
    found = scores["top_box"] / scores["occasions"]
    assert (np.abs(found - expected) < 4 * noise).all()
    assert set(truth.index.get_level_values("measure")) == {
        "csat top box", "ces mean", "promoters", "detractors", "nps", "personality mean",
        "importance mean", "emotion mean",
    }  # fmt: skip
    nps = truth["truth"].loc["nps", ""]
    shares = truth["truth"].loc["promoters", ""] - truth["truth"].loc["detractors", ""]
    assert np.allclose(nps, 100 * shares)


@pytest.mark.parametrize("variant", ["base", "null"])
def test_ease_attachment_and_contact_act_in_the_base_company_and_not_in_the_null_one(variant):
    _, tables = made(variant)
    moods, asked = tables["true_moods"], tables["invitations"].dropna(subset="delivered_at")
    attachment = tables["people"]["attachment"].to_numpy()
    found = [
        least_squares([moods["ease"]], moods["effort_mark"].to_numpy(float)),
        least_squares([attachment[moods["person"]]], moods["latent"].to_numpy()),
    ]
    for beta, error in found:
        # A person has many occasions, so these errors are too small: hence twelve of them.
        assert (abs(beta[1]) > 12 * error[1]) == (variant == "base")
    assert (asked["true_response"].nunique() > 1) == (variant == "base")
