"""Forecasts of leaving: held against what came, and no list without proof."""

import stat
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import at_risk, churn_validation
from cxlab.churn.forecast import foresee
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import ParameterError, Withheld

from .test_drivers import CYCLE, START, world

HOW = {"cycle": CYCLE, "drivers": ["plan"], "window_days": 182}


@pytest.fixture(scope="module")
def told() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Subscriptions of which a sign tells much."""
    return world(1, 4000, ratio=6.0)


def test_a_forecast_that_knows_something_beats_none(engine: Engine, told) -> None:
    table, signs = told
    found = churn_validation(engine.table(table), engine.table(signs), **HOW)
    assert found.useful
    rows = found.estimates.set_index("metric")
    assert rows.loc["churn.concordance", "conf_low"].min() > 0.6
    ratio = rows.loc["churn.calibration_ratio"]
    assert ratio["conf_low"] <= 1 <= ratio["conf_high"]
    assert rows.loc["churn.brier_difference", "estimate"].iloc[-1] < 0
    assert found.sentence().startswith(
        "Last cycle's forecast of who leaves of their own will was better than none in 2018Q4"
    )
    assert "as many as foretold, as far as can be told." in found.sentence()
    assert f"there were {ratio['estimate']:.2f} ({ratio['conf_low']:.2f} to" in found.sentence()
    off = found.estimates[found.estimates["metric"] == "churn.calibration_index"]
    off = off.set_index(off["measure"].str.extract(r"\((.*)\)")[0])["estimate"]
    assert 0 < off["E50"] <= off["E90"]
    assert off["ICI"] <= off["E90"]
    assert found.protect(10).plot()


def test_a_forecast_of_too_many_endings_says_so(told) -> None:
    """Half of those who left in the cycle stayed after all, so that half as many came."""
    table, signs = told
    inside = (table["ended_at"] >= CYCLE.start) & (np.arange(len(table)) % 2 == 0)
    found = churn_validation(table.assign(ended_at=table["ended_at"].mask(inside)), signs, **HOW)
    assert found.sentence().endswith("): fewer than foretold.")


def test_a_forecast_that_knows_nothing_makes_no_list() -> None:
    table, signs = world(3, 1500, ratio=1.0)
    table["plan"] = "one"
    found = churn_validation(table, signs, **HOW)
    assert not found.useful
    assert "so it makes no list" in found.sentence()
    with pytest.raises(Withheld, match="Nobody is listed"):
        at_risk(table, signs, may_contact=table[["customer_id"]], **HOW)


def test_what_happens_in_the_cycle_does_not_touch_the_forecast_of_it(told) -> None:
    table, signs = told
    inside = table["ended_at"] >= CYCLE.start
    other = table.assign(ended_at=table["ended_at"].mask(inside, pd.NaT))
    later = signs.assign(
        occurred_at=signs["occurred_at"].where(signs["occurred_at"] < CYCLE.start, CYCLE.start)
    )
    one, two = (
        foresee(t, s, cycle=CYCLE, drivers=["plan"], window_days=182)[0]
        for t, s in ((table, signs), (other, later))
    )
    assert one.fit.coef == pytest.approx(two.fit.coef, rel=1e-12)
    rows = pd.DataFrame({"entry": [3, 60], "plan": ["large", "small"], "s0": [0, 1]})
    assert one.risk(rows, [4, 13]) == pytest.approx(two.risk(rows, [4, 13]), rel=1e-12)


def test_a_chance_is_that_of_the_age_reached() -> None:
    """Half of them leave at 1 % a week, half at 0.6 %: about a tenth within 13 weeks."""
    table, signs = world(4, 6000, ratio=1.0)
    table["plan"] = np.where(np.arange(len(table)) % 2, "a", "b")  # tells nothing
    model, _ = foresee(table, signs, cycle=CYCLE, drivers=["plan"], window_days=182)
    rows = pd.DataFrame({"entry": [10, 30, 60], "plan": ["a"] * 3, "s0": [0] * 3})
    truth = 1 - (np.mean([0.99**13, 0.994**13]))
    assert model.risk(rows, [13])[:, 0] == pytest.approx(truth, abs=0.035)


def test_the_list_is_by_risk_with_reasons_value_and_expiry(engine: Engine, told) -> None:
    table, signs = told
    given = engine.table(table.assign(monthly_amount=10.0))
    found = at_risk(
        given, engine.table(signs), may_contact=engine.table(table[["customer_id"]]), most=50, **HOW
    )
    people = found.people
    assert len(people) == 50
    assert people["risk"].is_monotonic_decreasing
    assert people["value_at_risk"].to_numpy() == pytest.approx(
        (people["risk"] * 120).round(2).to_numpy()
    )
    assert people["reasons"].str.contains("ticket opened").mean() > 0.9
    assert set(people["expires_on"].astype(str)) == {"2019-04-01"}
    ended = table.set_index("subscription_id")["ended_at"].reindex(people["subscription_id"])
    assert not (ended < CYCLE.cutoff).any()
    assert found.sentence().startswith("50 customers are on the list")
    # No one is named in what a report shows.
    shown = found.table().to_string() + found.sentence() + found.note + found.subtitle
    assert not any(name in shown.split() for name in people["customer_id"])


def test_who_says_no_or_was_contacted_often_is_not_listed(engine: Engine, told) -> None:
    table, signs = told
    allowed = table["customer_id"].iloc[::2]
    heard = allowed.iloc[::3]
    sent = pd.DataFrame({"customer_id": np.repeat(heard, 4).to_numpy()})
    sent["sent_at"] = CYCLE.cutoff - pd.Timedelta(days=3)
    old = sent.assign(  # too long ago to count
        customer_id=np.resize(allowed.iloc[1::3].to_numpy(), len(sent)),
        sent_at=CYCLE.cutoff - pd.Timedelta(days=31),
    )
    found = at_risk(
        engine.table(table), engine.table(signs),
        may_contact=engine.table(pd.DataFrame({"customer_id": allowed})),
        messages=engine.table(pd.concat([sent, old])), most=5000, **HOW,
    )  # fmt: skip
    names = set(found.people["customer_id"])
    assert names
    assert names <= set(allowed)
    assert not names & set(heard)
    sizes = found.estimates[found.estimates["metric"] == "churn.list_size"]
    assert sizes["estimate"].sum() == sizes["n"].iloc[0]
    assert sizes.set_index("fate")["estimate"]["contact cap"] > 0


def test_the_list_is_written_for_its_owner_alone_and_never_among_reports(tmp_path, told) -> None:
    table, signs = told
    found = at_risk(table, signs, may_contact=table[["customer_id"]], most=20, **HOW)
    file = found.write(tmp_path / "lists" / "list.csv")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(pd.read_csv(file)) == 20
    report = tmp_path / "reports" / "study" / "2018Q4"
    report.mkdir(parents=True)
    (report / "manifest.json").write_text("{}")
    for place in (report / "list.csv", report / "data" / "list.csv"):
        with pytest.raises(ParameterError, match="must not lie among reports"):
            found.write(place)
    # A copy of reports without their ledger, as it lies on a share.
    (report / "findings.parquet").write_bytes(b"")
    (report.parent / "index.html").write_text("cycles")
    reports = report.parent.parent
    for place in (reports, reports / "other", reports / "study", reports / "study" / "2019Q1"):
        with pytest.raises(ParameterError, match="must not lie among reports"):
            found.write(place / "list.csv")
        assert not (place / "list.csv").exists()
    assert found.write(tmp_path / "beside.csv").exists()  # the folder that the reports lie in


def test_a_customer_stands_on_the_list_once_with_all_they_have(engine: Engine, told) -> None:
    table, signs = told
    table = table.assign(
        monthly_amount=10.0, customer_id=table["customer_id"].mask(table.index < 200, "00000")
    )  # one customer with two hundred subscriptions
    signs = pd.concat([signs, pd.DataFrame({"customer_id": ["00000"] * 2, "signal": "ticket opened",
                       "occurred_at": CYCLE.cutoff - pd.Timedelta(days=9)})])  # fmt: skip
    found = at_risk(
        engine.table(table), engine.table(signs), may_contact=engine.table(table[["customer_id"]]),
        most=300, **HOW,
    )  # fmt: skip
    people = found.people.set_index("customer_id")
    assert people.index.is_unique
    assert len(people) == 300
    running = table["ended_at"].isna() | (table["ended_at"] >= CYCLE.cutoff)
    mine = table[(table["customer_id"] == "00000") & running
                 & (table["started_at"] < CYCLE.cutoff)]  # fmt: skip
    one = people.loc["00000"]
    assert one["subscriptions"] == len(mine) > 50
    assert one["subscription_id"] in set(mine["subscription_id"])
    assert one["risk"] * 120 < one["value_at_risk"] <= one["risk"] * 120 * len(mine)
    due = found.estimates[found.estimates["metric"] == "churn.list_expected"].iloc[0]
    fees = people["value_at_risk"].sum() / 120  # a year of fees is the same for all
    assert due["estimate"] == pytest.approx(fees, rel=1e-3)  # values are rounded to the cent
    alone = people[people["subscriptions"] == 1]["risk"]
    assert due["conf_high"] - due["estimate"] > 1.96 * np.sqrt((alone * (1 - alone)).sum())


def test_protected_attributes_and_small_numbers_are_refused(told) -> None:
    table, signs = told
    how = {**HOW, "may_contact": table[["customer_id"]]}
    with pytest.raises(ParameterError, match="the law protects"):
        at_risk(table.assign(birth_year=1980), signs, **{**how, "drivers": ["birth_year"]})
    with pytest.raises(ParameterError, match="most must be 1 or more, but is 0"):
        at_risk(table, signs, most=0, **how)
    with pytest.raises(ParameterError, match="weeks of a subscription's life"):
        at_risk(table, signs, horizon_days=9_000, **how)
    with pytest.raises(Withheld, match="A forecast needs 20 subscriptions that ended"):
        churn_validation(table.head(30), signs, **HOW)


@pytest.fixture(scope="module")
def two_kinds(told) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A card that will fail within 120 days shows a sign before; nobody chooses such an end."""
    table, signs = told
    rng, n = np.random.default_rng(8), len(told[0])
    fails = pd.Series(START + pd.to_timedelta(rng.uniform(300, 1000, n), unit="D")).dt.floor("s")
    first = (fails < table["ended_at"]) | table["ended_at"].isna()
    first &= (rng.random(n) < 0.4) & (fails > table["started_at"])
    seen = fails - pd.to_timedelta(rng.integers(5, 120, n), unit="D")
    shaky = pd.DataFrame(
        {"customer_id": table["customer_id"], "signal": "payment failed", "occurred_at": seen}
    )
    table = table.assign(
        ended_at=table["ended_at"].mask(first, fails),
        end_kind=np.where(first, "involuntary", "voluntary"),
    )
    return table, pd.concat([signs, shaky[first.to_numpy()]], ignore_index=True)


def test_the_list_is_of_those_who_would_choose_to_leave(engine: Engine, two_kinds) -> None:
    table, signs = two_kinds
    who = table[["customer_id"]]
    found, any_end = (
        at_risk(engine.table(t), engine.table(signs), may_contact=engine.table(who), most=60, **HOW)
        for t in (table, table.drop(columns="end_kind"))
    )
    assert (found.cause, any_end.cause) == ("voluntary", "any")
    shaky = set(signs.loc[signs["signal"] == "payment failed", "customer_id"])
    for listed, low, high in ((found, 0.0, 0.4), (any_end, 0.6, 1.0)):
        assert low <= listed.people["customer_id"].isin(shaky).mean() <= high
    assert "would end of their own will if nothing is done" in found.sentence()
    assert "would end if nothing is done" in any_end.sentence()
    assert found.people["reasons"].str.contains("payment failed").mean() < 0.2


def test_a_forecast_is_judged_by_what_it_foretells(two_kinds) -> None:
    table, signs = two_kinds
    found = churn_validation(table, signs, **HOW)
    inside = (table["ended_at"] >= CYCLE.start) & (table["ended_at"] < CYCLE.cutoff)
    began = table["started_at"] < CYCLE.start
    chose = inside & began & (table["end_kind"] == "voluntary")
    ranks = found.estimates[found.estimates["metric"] == "churn.concordance"]
    assert found.cause == "voluntary"
    assert ranks["count"].iloc[0] == chose.sum()
    assert "ended of their own will" in found.subtitle
    ratio = found.estimates.set_index("metric").loc["churn.calibration_ratio"]
    assert ratio["conf_low"] <= 1 <= ratio["conf_high"]


def test_the_chance_to_choose_is_below_that_of_the_cause_alone(two_kinds) -> None:
    """And the chances of both kinds are that of any end, but for what the models differ in."""
    table, signs = two_kinds
    model, _ = foresee(table, signs, cycle=CYCLE, drivers=["plan"], window_days=182)
    rows = pd.DataFrame({"entry": [3, 60], "plan": ["large", "small"], "s0": [2, 0], "s1": [0, 1]})
    chance = model.risk(rows, [4.0, 13.0])
    alone = replace(model, fits={model.cause: model.fit}).risk(rows, [4.0, 13.0])
    assert (chance < alone).all()
    other = replace(model, cause="otherwise").risk(rows, [4.0, 13.0])
    assert (chance + other < 1).all()
    assert (other > 0).all()


@pytest.mark.parametrize("quarter", ["2018Q1", "2018Q2", "2018Q3"])  # of 90, 91 and 92 days
def test_a_forecast_is_judged_alike_whatever_the_days_of_the_cycle(quarter: str) -> None:
    rng = np.random.default_rng(5)
    many = 4_000
    began = pd.Timestamp("2014-06-01") + pd.to_timedelta(rng.uniform(0, 1_700, many), "D")
    plan = rng.choice(["a", "b"], many)
    days = rng.exponential(np.where(plan == "a", 150, 900))
    held = pd.DataFrame(
        {
            "subscription_id": range(many),
            "customer_id": [f"c{i}" for i in range(many)],
            "started_at": began.floor("s"),
            "ended_at": (began + pd.to_timedelta(days, "D")).floor("s"),
            "end_kind": "voluntary",
            "plan": plan,
        }
    )
    found = churn_validation(held, cycle=parse_cycle(quarter), drivers=["plan"])
    assert found.useful
    auc = found.estimates[found.estimates["metric"] == "churn.auc"]
    # Two groups of even size, with six times the rate: a pair's order is told in 7 of 10.
    assert auc["estimate"].between(0.62, 0.8).all()
    ratio = found.estimates.set_index("metric").loc["churn.calibration_ratio"]
    assert ratio["conf_low"] < 1 < ratio["conf_high"]
