"""Signs of friction: each formula on a handful of events, then where the truth is known."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, TableLike, frame, in_one_engine
from cxlab.data.friction_settings import FrictionSettings
from cxlab.errors import MissingColumnError, Withheld
from cxlab.journeys import friction
from cxlab.journeys.log.session_rows import session_rows
from cxlab.journeys.log.signals import flagged_sessions
from tests.journeys.made import made

CYCLE = parse_cycle("2018Q1")
BEGIN = datetime(2018, 2, 1)
RULES = FrictionSettings(
    clicks=["click"], errors=["error"], pages=["page"], searches=["search"], results=["result"],
    forms=["form"], left=["form left"],
)  # fmt: skip

Event = tuple[float, str, str | None, str | None]  # second, activity, object, outcome


def log_of(*events: Event, who: str = "a") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "interaction_id": [f"i{i:03d}" for i in range(len(events))],
            "customer_id": who,
            "occurred_at": [BEGIN + timedelta(seconds=s) for s, *_ in events],
            "activity": [e[1] for e in events],
            "object_id": pd.Series([e[2] for e in events], dtype="object"),
            "outcome": pd.Series([e[3] for e in events], dtype="object"),
        }
    ).astype({"occurred_at": "datetime64[us]"})


def signs(
    *events: Event, rules: FrictionSettings = RULES, engine: Engine | None = None
) -> set[str]:
    log = log_of(*events)
    table = log if engine is None else engine.table(log)
    row = flags_of(table, rules).iloc[0]
    return {name for name in ("rage", "dead", "error", "looped", "empty", "form") if row[name]}


def flags_of(log: TableLike, rules: FrictionSettings) -> pd.DataFrame:
    (table,) = in_one_engine(log)
    rows = session_rows(table, cycle=CYCLE, timeout=rules.timeout)
    cutoff_us = (CYCLE.cutoff - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    return frame(flagged_sessions(rows, rules, outcome=["buy"], cutoff_us=cutoff_us), limit=9_999)


CASES: dict[str, tuple[list[Event], set[str]]] = {
    "three clicks on one element in two seconds": (
        [(0, "click", "e", "success"), (1, "click", "e", "success"), (2, "click", "e", "success")],
        {"rage"},
    ),
    "three clicks in a little more than two seconds": (
        [
            (0, "click", "e", "success"),
            (1, "click", "e", "success"),
            (2.1, "click", "e", "success"),
        ],
        set(),
    ),
    "three clicks on two elements": (
        [(0, "click", "e", "success"), (1, "click", "f", "success"), (2, "click", "e", "success")],
        set(),
    ),
    "failed clicks of a rage click are not dead besides": (
        [(0, "click", "e", "fail"), (1, "click", "e", "fail"), (2, "click", "e", "fail")],
        {"rage"},
    ),
    "a click that failed": ([(0, "click", "e", "fail"), (1, "page", "p", None)], {"dead"}),
    "a click that nothing follows": ([(0, "click", "e", None), (11, "page", "p", None)], {"dead"}),
    "a click that a page follows": ([(0, "click", "e", None), (10, "page", "p", None)], set()),
    "the last click of all": ([(0, "click", "e", None)], {"dead"}),
    "an error soon after a click": (
        [(0, "click", "e", "success"), (1, "page", "p", None), (2, "error", None, None)],
        {"error"},
    ),
    "an error long after a click": (
        [(0, "click", "e", "success"), (3, "error", None, None)],
        set(),
    ),
    "A, B, A, B": ([(i, "page", p, None) for i, p in enumerate("ABAB")], {"looped"}),
    "A, B, A, B with clicks between": (
        [(2 * i, "page", p, None) for i, p in enumerate("ABAB")]
        + [(2 * i + 1, "click", f"e{i}", "success") for i in range(4)],
        {"looped"},
    ),
    "A, B, A": ([(i, "page", p, None) for i, p in enumerate("ABA")], set()),
    "A, A, A, A": ([(i, "page", "A", None) for i in range(4)], set()),
    "a search that failed": ([(0, "search", None, "fail"), (1, "result", None, None)], {"empty"}),
    "a search with nothing opened after it": (
        [(0, "result", None, None), (1, "search", None, None)],
        {"empty"},
    ),
    "a search with a result opened": (
        [(0, "search", None, None), (99, "result", None, None)],
        set(),
    ),
    "a form abandoned": ([(0, "form", None, "abandoned")], {"form"}),
    "a form sent": ([(0, "form", None, "success")], set()),
    "a form left": ([(0, "form left", None, None)], {"form"}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_each_formula_on_a_handful_of_events(case: str) -> None:
    events, expected = CASES[case]
    assert signs(*sorted(events, key=lambda e: e[0])) == expected


def test_thresholds_are_those_of_the_settings(engine: Engine) -> None:
    twice = FrictionSettings(
        clicks=["click"], rage_clicks=2, rage_within="5 seconds", pages=["page"], loops=3
    )
    clicks: list[Event] = [(0, "click", "e", "success"), (5, "click", "e", "success")]
    pages: list[Event] = [(10 + i, "page", p, None) for i, p in enumerate("ABAB")]
    assert signs(*clicks, *pages, rules=twice, engine=engine) == {"rage"}
    more: list[Event] = [(20 + i, "page", p, None) for i, p in enumerate("AB")]
    assert signs(*clicks, *pages, *more, rules=twice, engine=engine) == {"rage", "looped"}


def test_what_the_log_cannot_tell_is_said_and_the_rest_goes_on() -> None:
    log = pd.concat([log_of((0, "search", None, "fail"), who=f"c{i}") for i in range(12)])
    found = friction(log, RULES, cycle=CYCLE)
    told = found.estimates.loc[found.estimates["metric"] == "friction.sessions_share", "signal"]
    assert list(told) == ["search without result"]
    assert "rage click (no contact is one of ['click'])" in found.note
    nothing = FrictionSettings()
    with pytest.raises(Withheld, match=r"names? no activity under friction\.clicks"):
        friction(log, nothing, cycle=CYCLE)
    with pytest.raises(MissingColumnError, match="channel"):
        friction(log, FrictionSettings(channels=["web"], left=["x"]), cycle=CYCLE)


def with_truth(seed: int, people: int, effect: float) -> pd.DataFrame:
    """Sessions of which a quarter have an abandoned form, that takes `effect` off conversion."""
    rng = np.random.default_rng(seed)
    own = rng.beta(4, 6, people)  # each person's readiness to buy
    many = rng.geometric(0.4, people)
    who = np.repeat(np.arange(people), many)
    form, search = rng.random(len(who)) < 0.25, rng.random(len(who)) < 0.2
    buys = rng.random(len(who)) < np.clip(own[who] - effect * form, 0, 1)
    # A person's sessions follow each other in number, and so lie on days of their own.
    day = (BEGIN + pd.to_timedelta(np.arange(len(who)) % 50, unit="D")).astype("datetime64[us]")
    parts = []
    for what, which, outcome in (
        ("page", np.ones(len(who), bool), None), ("form left", form, None),
        ("search", search, "fail"), ("buy", buys, None),
    ):  # fmt: skip
        parts.append(
            pd.DataFrame({"customer_id": who[which].astype(str), "occurred_at": day[which],
                          "activity": what, "outcome": outcome})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_weights_are_what_a_regression_on_single_sessions_gives(engine: Engine) -> None:
    """By hand: least squares on every session, errors with people as clusters (CR1)."""
    log = with_truth(1, 150, 0.2)
    rules = FrictionSettings(left=["form left"], searches=["search"])
    found = friction(engine.table(log), rules, cycle=CYCLE, outcome=["buy"])
    weights = found.estimates[found.estimates["metric"] == "friction.non_conversion_difference"]
    each = flags_of(engine.table(log), rules)
    x = np.column_stack([np.ones(len(each)), each["empty"], each["form"]]).astype(float)
    y = 1.0 - each["converted"].to_numpy(float)
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    scores = pd.DataFrame(x * (y - x @ beta)[:, None]).groupby(each["person_id"]).sum().to_numpy()
    g, n = len(scores), len(each)
    variance = bread @ scores.T @ scores @ bread * g / (g - 1) * (n - 1) / (n - 3)
    ours = weights.set_index("signal")
    for i, name in ((1, "search without result"), (2, "form abandoned")):
        row = ours.loc[name]
        assert row["estimate"] == pytest.approx(beta[i])
        half = student.ppf(0.975, g - 1) * np.sqrt(variance[i, i])
        assert row["conf_high"] - row["estimate"] == pytest.approx(half)


def test_a_true_effect_is_found_and_where_there_is_none_none_is_claimed() -> None:
    rules = FrictionSettings(left=["form left"], searches=["search"])
    strong = friction(with_truth(2, 1_500, 0.25), rules, cycle=CYCLE, outcome=["buy"])
    row = strong.estimates.set_index(["metric", "signal"]).loc[
        ("friction.non_conversion_difference", "form abandoned")
    ]
    assert row["conf_low"] <= 0.25 <= row["conf_high"]
    assert "without the outcome more often with form abandoned, +" in strong.sentence()
    odd = friction(with_truth(2, 1_500, -0.25), rules, cycle=CYCLE, outcome=["buy"]).sentence()
    assert "they end without the outcome less often with form abandoned, −" in odd
    assert "the other way than a sign of friction should go" in odd
    assert "the other way" not in strong.sentence()
    none = friction(with_truth(3, 1_500, 0.0), rules, cycle=CYCLE, outcome=["buy"])
    assert "no kind clearly goes with more or fewer" in none.sentence()


def test_the_made_up_company_rubs_as_often_as_it_was_made_to() -> None:
    """Of visits to the web shop by web or app: 1.5 % rage, 2 % dead clicks, 2 % forms left.

    And 12 % of searches find nothing; all of it by chance alone, whoever it happens to.
    """
    log, _ = made()
    shop = log[(log["touchpoint"] == "web shop") & log["channel"].isin(["web", "app"])]
    cycle = parse_cycle("2026", length="year")  # most of a year; its end is not known yet
    rules = FrictionSettings(
        channels=["web", "app"], clicks=["clicked"], searches=["searched"], left=["form left"]
    )
    found = friction(
        shop.drop(columns="true_journey"), rules, cycle=cycle,
        outcome=["order placed"],
    )  # fmt: skip
    rows = found.estimates[found.estimates["metric"] == "friction.sessions_share"]
    rows = rows.set_index("signal")
    for signal, truth in (("rage click", 0.015), ("dead click", 0.02), ("form abandoned", 0.02)):
        n, spread = rows.loc[signal, "n"], 4 * np.sqrt(truth / rows.loc[signal, "n"])
        assert n > 1_000
        assert rows.loc[signal, "estimate"] == pytest.approx(truth, abs=spread)
    weights = found.estimates[found.estimates["metric"] == "friction.non_conversion_difference"]
    for row in weights[
        weights["signal"].isin(["rage click", "dead click", "form abandoned"])
    ].to_dict("records"):
        # At 99.9 %: what has no effect is not claimed to have one.
        half = (row["conf_high"] - row["conf_low"]) / 2 * 3.3 / 1.96
        assert abs(row["estimate"]) <= half
