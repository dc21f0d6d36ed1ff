"""What every public analysis must survive, in one suite: add it here when you add one.

The tables are those of a made-up shop. Each test changes them in a way with a stated
response: other rows in another order say the same, the future says nothing, names are
only names, and where there is nothing to say a reason is given.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import cxlab as cx
from cxlab.columns import ESTIMATE, GLOSSARY
from cxlab.cycle.new_study import new_study
from cxlab.data.calendar import Cycle
from cxlab.data.engine import DuckEngine, Table, TableLike, in_one_engine, keep, view
from cxlab.data.friction_settings import FrictionSettings
from cxlab.data.journey_settings import JourneySettings, PlannedStage
from cxlab.data.lab import Lab, open_lab
from cxlab.data.working_time import WorkingHours
from cxlab.errors import CxlabError
from cxlab.report.disclosure import is_money
from cxlab.report.disclosure.policy import TOP1, TOP2
from cxlab.report.finding import Result

from .labs import answered, lab_of

Tables = dict[str, TableLike]
Analysis = Callable[[Tables, Cycle], Result]

REGION = ("customer_id", "region")


def _moves(t: Tables, c: Cycle) -> Result:
    orders, customers = t["orders"], t["customers"]
    before, after = (cx.segments.rfm(orders, customers, at=at) for at in (c.start, c.cutoff))
    return cx.segments.migration(before.members, after.members, orders=orders, cycle=c)


def _declared(t: Tables, _: Cycle) -> Result:
    rules = {"north": "region = 'North'", "other": "region <> 'North'"}
    return cx.segments.declared(t["customers"], name="half", rules=rules)


def _states(t: Tables, c: Cycle) -> Result:
    return cx.segments.states(t["orders"], t["customers"], cycle=c, cooling_days=60, lapse_days=120)


def _lab(t: Tables, c: Cycle) -> Lab:
    names = ("customers", "orders", "answers", "consents")
    return lab_of({k: t[k] for k in names}, c, currency="EUR")


JOURNEY = JourneySettings(
    outcome=["order placed"],
    stages=[
        PlannedStage(name="consider", touchpoints=["shop"], within="1 hour"),
        PlannedStage(name="buy", channels=["search", "newsletter"], topics=["bill"]),
        PlannedStage(name="receive", after=True, optional=True),
        PlannedStage(name="use", after=True, optional=True, owner="Head of service"),
    ],
    themes={"late": ["late"]},
)


def _journeys(t: Tables, c: Cycle) -> cx.journeys.Journeys:
    return cx.journeys.split_journeys(t["interactions"], JOURNEY, cutoff=c.cutoff)


def _worked(t: Tables) -> TableLike:
    """Let contacts wait for two days at most, and take an hour: the shop does not note it."""
    (log,) = in_one_engine(t["interactions"])
    return view(
        "select i.*, epoch_us(occurred_at) % 172800000000 / 1000000 as wait_s, "
        "epoch_us(occurred_at) % 3600000000 / 1000000 as duration_s from i",
        i=log,
    )


def _feelings(t: Tables) -> TableLike:
    """Take answers on satisfaction for answers on a feeling, which the shop does not ask."""
    (answers,) = in_one_engine(t["answers"])
    return view(
        "select customer_id, answered_at, value, scale_min, scale_max, 'emotion' as construct, "
        "case when value > 3 then 'shop' else 'delivery' end as touchpoint from a "
        "where construct = 'csat'",
        a=answers,
    )


def _complaints(t: Tables) -> dict[str, TableLike]:
    """Take bad answers on satisfaction for tickets and comments, which the shop does not have."""
    (answers,) = in_one_engine(t["answers"])
    tickets = view(
        "select customer_id, answered_at as opened_at, 'bill' as topic, value < 3 as is_complaint "
        "from a where construct = 'csat'",
        a=answers,
    )
    comments = view(
        "select customer_id, answered_at as written_at, 'shop' as touchpoint, value as rating, "
        "scale_min, scale_max, 'Late again' as text from a where construct = 'csat'",
        a=answers,
    )
    return {"tickets": tickets, "comments": comments}


def _map(t: Tables, c: Cycle) -> Result:
    found = _journeys(t, c)
    by = cx.journeys.touchpoints_by_stage(found)
    feelings = cx.emotion.felt(_feelings(t), cycle=c, by=by, persona=t["region"])
    return cx.journeys.journey_map(
        found, cycle=c, persona=t["region"], feelings=feelings, interactions=t["interactions"],
        **_complaints(t),
    )  # fmt: skip


WAY = ["product viewed", "cart filled", "checkout begun", "order placed"]
BUYING = cx.journeys.Funnel(steps=WAY, window="7 days")
VISITS = cx.journeys.Funnel(steps=WAY, window="1 hour", count_by="session")


def _subscribed(t: Tables) -> TableLike:
    """Take each order for a subscription that runs until the customer's next one."""
    (orders,) = in_one_engine(t["orders"])
    return view(
        """
        select order_id as subscription_id, customer_id, placed_at as started_at,
            lead(placed_at) over (partition by customer_id order by placed_at, order_id)
                as ended_at,
            case when net_amount > 60 then 'voluntary' else 'involuntary' end as end_kind,
            case when net_amount > 80 then 'large' else 'small' end as plan,
            net_amount as monthly_amount
        from o
        """,
        o=orders,
    )


def _answering(t: Tables) -> TableLike:
    """Take each answer for a sign."""
    (answers,) = in_one_engine(t["answers"])
    return view(
        "select customer_id, 'answer given' as signal, answered_at as occurred_at from a", a=answers
    )


def _said_in_public(t: Tables) -> TableLike:
    """Take each answer for a review, seen by more people the higher its value."""
    (answers,) = in_one_engine(t["answers"])
    return view(
        "select row_number() over (order by answered_at, customer_id, value) as comment_id, "
        "customer_id, answered_at as written_at, value as rating, scale_min, scale_max, "
        "cast(100 + 10 * value as bigint) as reach from a where construct = 'csat'",
        a=answers,
    )


def _paying(t: Tables) -> TableLike:
    """Keep the first subscription of each customer: nobody changes a contract then."""
    (subscribed,) = in_one_engine(_subscribed(t))
    return view(
        """
        select subscription_id, customer_id, started_at, ended_at, end_kind, plan,
            cast(monthly_amount as decimal(18, 2)) as monthly_amount
        from (
            select s.*, row_number() over (
                partition by customer_id order by started_at, subscription_id) as nth
            from s
        ) as r where nth = 1
        """,
        s=subscribed,
    )


RUBS = FrictionSettings(left=["form left"], pages=["product viewed"])

ANALYSES: dict[str, Analysis] = {
    "base": lambda t, c: cx.segments.base(t["customers"], cycle=c),
    "sales": lambda t, c: cx.loyalty.sales(t["orders"], cycle=c, currency="EUR"),
    "cohorts": lambda t, c: cx.loyalty.cohorts(t["orders"], cycle=c),
    "cohorts on or after": lambda t, c: cx.loyalty.cohorts(
        t["orders"], cycle=c, mode="on_or_after"
    ),
    "cohorts by days": lambda t, c: cx.loyalty.cohorts(t["orders"], cycle=c, mode="bracket"),
    "ladder": lambda t, c: cx.loyalty.ladder(t["answers"], t["orders"], cycle=c, currency="EUR"),
    "order bridge": lambda t, c: cx.loyalty.order_bridge(t["orders"], cycle=c, currency="EUR"),
    "recurring bridge": lambda t, c: cx.loyalty.recurring_bridge(
        _subscribed(t), cycle=c, currency="EUR"
    ),
    "repeat buying": lambda t, c: cx.loyalty.repeat_buying(t["orders"], cycle=c),
    "still buying": lambda t, c: cx.loyalty.still_buying(t["orders"], cycle=c),
    "value": lambda t, c: cx.loyalty.lifetime_value(t["orders"], cycle=c, currency="EUR"),
    "value by region": lambda t, c: cx.loyalty.lifetime_value(
        t["orders"], cycle=c, currency="EUR", by=t["region"]
    ),
    "word of mouth": lambda t, c: cx.loyalty.word_of_mouth(_said_in_public(t), cycle=c),
    "rfm": lambda t, c: cx.segments.rfm(t["orders"], t["customers"], at=c.cutoff),
    "migration": _moves,
    "states": _states,
    "flows": lambda t, c: _states(t, c).flows,
    "declared": _declared,
    "compare": lambda t, c: cx.segments.compare(
        t["orders"], outcome="net_amount", by=t["region"], unit="EUR", cycle=c, moment="placed_at"
    ),
    "churn rate": lambda t, c: cx.churn.churn_rate(_subscribed(t), cycle=c),
    "churn rate by plan": lambda t, c: cx.churn.churn_rate(_subscribed(t), cycle=c, by="plan"),
    "retention": lambda t, c: cx.churn.retention(_subscribed(t), cycle=c),
    "retention by plan": lambda t, c: cx.churn.retention(
        _subscribed(t), cycle=c, by="plan", complete_from=c.previous.first_day
    ),
    "retention compared": lambda t, c: cx.churn.retention_difference(
        _subscribed(t), cycle=c, by="plan"
    ),
    "retention projected": lambda t, c: cx.churn.retention_projection(
        _subscribed(t), cycle=c, by="plan", complete_from=c.previous.first_day
    ),
    "retention projected by plan": lambda t, c: cx.churn.projection_by_group(
        _subscribed(t), cycle=c, by="plan", complete_from=c.previous.first_day
    ),
    "retention by feeling": lambda t, c: cx.churn.retention_by_feeling(
        _subscribed(t), cx.emotion.valences(t["answers"]), cycle=c
    ),
    "causes of leaving": lambda t, c: cx.churn.leaving_causes(_subscribed(t), cycle=c, by="plan"),
    "what goes with leaving": lambda t, c: cx.churn.churn_drivers(
        _subscribed(t), _answering(t), cycle=c, drivers=["plan"]
    ),
    "ratios by age": lambda t, c: (
        cx.churn.churn_drivers(_subscribed(t), _answering(t), cycle=c, drivers=["plan"]).by_age
    ),
    "forecast of leaving": lambda t, c: cx.churn.churn_validation(
        _subscribed(t), _answering(t), cycle=c, drivers=["plan"]
    ),
    "silent leavers": lambda t, c: cx.churn.silent_leavers(
        _paying(t), _answering(t), cycle=c, currency="EUR", days=60
    ),
    "last straw": lambda t, c: cx.churn.last_straw(_subscribed(t), _answering(t), cycle=c),
    "csat": lambda t, c: cx.feedback.csat(t["answers"], cycle=c),
    "csat by region": lambda t, c: cx.feedback.csat(t["answers"], cycle=c, by=t["region"]),
    "nps": lambda t, c: cx.feedback.nps(t["answers"], cycle=c),
    "kept": lambda t, c: cx.operations.kept(t["promises"], cycle=c, kind="delivery_date"),
    "kept by owner": lambda t, c: cx.operations.kept(t["promises"], cycle=c, by="owner"),
    "lateness": lambda t, c: cx.operations.lateness(t["shipments"], cycle=c),
    "dose response": lambda t, c: cx.operations.dose_response(
        t["shipments"], t["answers"], cycle=c
    ),
    "repurchase": lambda t, c: cx.operations.repurchase_by_lateness(
        t["orders"], t["shipments"], cycle=c, within_days=60
    ),
    "funnel": lambda t, c: cx.journeys.funnel(t["interactions"], BUYING, cycle=c),
    "funnel of visits": lambda t, c: cx.journeys.funnel(t["interactions"], VISITS, cycle=c),
    "funnel by channel": lambda t, c: cx.journeys.funnel(
        t["interactions"], BUYING, cycle=c, by="channel"
    ),
    "time to convert": lambda t, c: cx.journeys.time_to_convert(t["interactions"], BUYING, cycle=c),
    "funnel change": lambda t, c: cx.journeys.funnel_change(t["interactions"], BUYING, cycle=c),
    "funnel split": lambda t, c: cx.journeys.funnel_split(
        t["interactions"], VISITS, cycle=c, by="channel"
    ),
    "contacts": lambda t, c: cx.journeys.contacts(t["interactions"], cycle=c, by="channel"),
    "sessions": lambda t, c: cx.journeys.sessions(
        t["interactions"], cycle=c, outcome=["order placed"]
    ),
    "handling": lambda t, c: cx.journeys.handling(
        _worked(t), cycle=c, by="channel", hours=WorkingHours()
    ),
    "iceberg": lambda t, c: cx.journeys.iceberg(_journeys(t, c), t["orders"], cycle=c),
    "drift": lambda t, c: cx.journeys.drift(_journeys(t, c), cycle=c, since=c.previous),
    "drift of paths": lambda t, c: cx.journeys.drift(
        _journeys(t, c), cycle=c, since=c.previous, of="path"
    ),
    "friction": lambda t, c: cx.journeys.friction(
        t["interactions"], RUBS, cycle=c, outcome=["order placed"]
    ),
    "seen": lambda t, c: cx.trust.seen(_lab(t, c)),
    "consent flow": lambda t, c: cx.trust.consent_flow(_lab(t, c)),
    "consent bias": lambda t, c: cx.trust.consent_bias(_lab(t, c)),
    "who is missing": lambda t, c: cx.trust.consent_bias(_lab(t, c)).groups,
    "felt": lambda t, c: cx.emotion.felt(_feelings(t), cycle=c),
    "timeline": lambda t, c: cx.journeys.timeline(_journeys(t, c), cycle=c),
    "fitness": lambda t, c: cx.journeys.fitness(
        _journeys(t, c), cycle=c, interactions=t["interactions"]
    ),
    "journey map": _map,
    "transitions": lambda t, c: cx.journeys.transitions(_journeys(t, c), cycle=c),
    "step matrix": lambda t, c: cx.journeys.step_matrix(_journeys(t, c), cycle=c),
    "flow of journeys": lambda t, c: cx.journeys.flow(_journeys(t, c), cycle=c),
    "variants": lambda t, c: cx.journeys.variants(_journeys(t, c), cycle=c),
    "dead ends": lambda t, c: cx.journeys.dead_ends(_journeys(t, c), cycle=c),
    "loops": lambda t, c: cx.journeys.loops(_journeys(t, c), cycle=c),
    "attribution": lambda t, c: cx.journeys.attribution(_journeys(t, c), cycle=c),
}
# Distinct histories of buying: as many for ten times the customers. A curve has a row per step of
# time, in each of the stages; a regression one per pattern, by week of life and end.
LONGER = dict.fromkeys(["repeat buying", "still buying", "value", "value by region"], 390)
LONGER |= dict.fromkeys(["timeline", "journey map"], 2_000) | {"handling": 3_000}
LONGER |= dict.fromkeys(["what goes with leaving", "forecast of leaving"], 2_000)
LONGER |= dict.fromkeys(["ratios by age", "last straw"], 2_000)
# Words that claim a direction, words that take a claim back, and an interval of a difference.
CLAIMS = re.compile(
    r"\b(lower|higher|less|more|fewer|better|worse|rose|fell|grew|shrank|clear|clearly)\b",
    re.IGNORECASE,
)
TAKEN_BACK = re.compile(r"\b(no|not|none|neither|nobody|cannot)\b", re.IGNORECASE)
SIGNED = re.compile(r"\(([EURpoints ]*[+\N{MINUS SIGN}][\d.,]+) to ([+\N{MINUS SIGN}][\d.,]+)\)")
every_analysis = pytest.mark.parametrize("name", list(ANALYSES))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    study = tmp_path_factory.mktemp("shop") / "study"
    new_study(study)
    return open_lab(study)


@pytest.fixture(scope="module")
def shop(lab: Lab) -> dict[str, pd.DataFrame]:
    tables = {name: lab.frame(getattr(lab, name)) for name in lab.tables}
    tables["region"] = tables["customers"][list(REGION)]
    tables["consents"] = answered(tables["customers"])
    return tables


@pytest.fixture(scope="module")
def said(lab: Lab, shop: dict[str, pd.DataFrame]) -> Callable[[str], Result]:
    made: dict[str, Result] = {}
    tables = lying(shop)

    def analyse(name: str) -> Result:
        if name not in made:
            made[name] = ANALYSES[name](dict(tables), lab.cycle)
        return made[name]

    return analyse


def lying(frames: Mapping[str, pd.DataFrame]) -> dict[str, Table]:
    """Put tables into an engine of their own, once for all analyses."""
    engine = DuckEngine()
    return {key: keep(engine.table(frame)) for key, frame in frames.items()}


@pytest.fixture(scope="module")
def shuffled(shop: dict[str, pd.DataFrame]) -> dict[str, Table]:
    return lying({k: t.sample(frac=1, random_state=3) for k, t in shop.items()})


@pytest.fixture(scope="module")
def renamed(shop: dict[str, pd.DataFrame]) -> dict[str, Table]:
    return lying({key: _with_ids(table, "\N{SNOWMAN} '") for key, table in shop.items()})


@pytest.fixture(scope="module")
def grown(shop: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """Add to each table rows that lie ten years ahead."""
    found = {}
    for key, table in shop.items():
        moments = [c for c in table.columns if c.endswith(("_at", "_on"))]
        later = table.head(50).copy() if moments and key != "customers" else table.head(0)
        for c in moments:
            later[c] = pd.to_datetime(later[c]) + timedelta(days=3650)
        for c in ("order_id", "response_id", "promise_id", "shipment_id", "interaction_id"):
            if c in later:
                later[c] = "later " + later[c].astype(str)
        found[key] = pd.concat([table, later], ignore_index=True) if len(later) else table
    return lying(found)


@pytest.fixture(scope="module")
def tenfold(shop: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """Give ten times the customers and all that is theirs."""
    return lying(
        {
            key: pd.concat([_with_ids(table, f"{i}:") for i in range(10)], ignore_index=True)
            for key, table in shop.items()
        }
    )


def numbers(result: Result) -> pd.DataFrame:
    """Return the estimates in an order of their own, for comparison."""
    frame = result.estimates.drop(columns=["method", "suppressed"])
    keys = [c for c in frame.columns if c not in ESTIMATE] + ["metric"]
    return frame.sort_values(keys, kind="stable").reset_index(drop=True)[sorted(frame.columns)]


def _with_ids(table: pd.DataFrame, begins: str) -> pd.DataFrame:
    """Give ids other names; who has none still has none."""
    ids = [c for c in table.columns if c.endswith("_id")]
    called = {c: (begins + table[c].astype(str)).where(table[c].notna(), None) for c in ids}
    return table.assign(**called)


def assert_same(found: Result, expected: Result) -> None:
    # Sums of floats depend on the order of rows in their last digits.
    pd.testing.assert_frame_equal(numbers(found), numbers(expected), rtol=1e-9, check_dtype=False)


@every_analysis
def test_each_number_stands_with_its_interval_n_and_method(
    name: str, said: Callable[[str], Result]
) -> None:
    rows = said(name).estimates
    shown = rows[~rows["suppressed"].astype(bool) & rows["estimate"].notna()]
    # A p-value and what could have been seen say how sure we are; they need no interval.
    shown = shown[~shown["metric"].str.contains(r"\.p_|\.detectable")]
    assert len(shown)
    assert set(ESTIMATE) <= set(rows.columns)
    assert (shown["conf_low"] <= shown["estimate"] + 1e-12).all()
    assert (shown["estimate"] <= shown["conf_high"] + 1e-12).all()
    assert (shown["n"] > 0)[shown["count"] > 0].all()  # nobody stands behind an empty cell
    assert shown["method"].str.len().gt(0).all()


@every_analysis
def test_what_is_in_money_tells_how_evenly_it_comes_from_customers(
    name: str, said: Callable[[str], Result]
) -> None:
    """Or nobody could tell whether one customer's own amount can be read off it."""
    rows = said(name).estimates
    money = rows[rows["unit"].map(is_money) & rows["estimate"].notna()]
    if len(money):
        tops = money[[TOP1, TOP2]].astype(float)
        assert tops.notna().all(axis=None)
        assert (tops[TOP1] <= tops[TOP2] + 1e-12).all()
        assert tops[TOP2].between(0, 1 + 1e-12).all()
        assert (tops[TOP1] > 0).any()
    # What a share of money is made of counts as well.
    relative = rows[rows["metric"].str.endswith("relative_change") & rows["estimate"].notna()]
    assert relative.empty or relative[TOP1].notna().all()
    inner = [c for c in said(name).protect(10).estimates if str(c).startswith("_")]
    assert not inner
    assert not [c for c in said(name).table().columns if str(c).startswith("_")]


@every_analysis
def test_a_result_reads_and_draws_and_its_columns_are_in_the_glossary(
    name: str, said: Callable[[str], Result]
) -> None:
    result = said(name).protect(10)
    assert result.sentence().strip()
    assert result.subtitle
    assert set(result.table().columns) - {"half"} <= set(GLOSSARY)  # half is this suite's own
    result.plot()
    plt.close("all")


def claims_beyond_chance(sentence: str) -> list[str]:
    """Name the claims of a direction whose own interval reaches to both sides of zero."""
    wrong = []
    for clause in re.split(r"(?<=\D)\. |; ", sentence):
        spans = [low[low.find("\N{MINUS SIGN}")] + high[0] for low, high in SIGNED.findall(clause)]
        both = [span for span in spans if span == "\N{MINUS SIGN}+"]
        if both and CLAIMS.search(clause) and not TAKEN_BACK.search(clause):
            wrong.append(clause)
    return wrong


@every_analysis
def test_a_headline_claims_no_direction_that_chance_alone_could_give(
    name: str, shuffled: dict[str, Table], lab: Lab, said: Callable[[str], Result]
) -> None:
    assert claims_beyond_chance(said(name).sentence()) == []
    few: Tables = {k: view("select * from t limit 120", t=t) for k, t in shuffled.items()}
    with suppress(CxlabError):  # where differences are widest
        assert claims_beyond_chance(ANALYSES[name](few, lab.cycle).sentence()) == []


def test_enough_headlines_tell_a_difference_with_its_interval(
    said: Callable[[str], Result],
) -> None:
    """Or the test above would look at nothing: it reads intervals that have a sign."""
    assert sum(bool(SIGNED.search(said(name).sentence())) for name in ANALYSES) >= 10


def test_a_claim_that_chance_alone_could_give_is_noticed() -> None:
    minus = "\N{MINUS SIGN}"
    wrong = f"Lower, {minus}3 ({minus}9 to +3); it is clearly so: ({minus}2 to +1)."
    assert len(claims_beyond_chance(wrong)) == 2
    assert not claims_beyond_chance(
        f"It is lower than before: {minus}7.8 ({minus}15.6 to {minus}0.2)."
    )
    assert not claims_beyond_chance(f"No clear change, {minus}3 ({minus}9 to +3). More came.")


@every_analysis
@pytest.mark.parametrize("change", ["shuffled", "renamed", "grown"])
def test_neither_order_of_rows_nor_names_nor_the_future_says_anything(
    name: str, change: str, lab: Lab, said: Callable[[str], Result], request: Any
) -> None:
    tables: Tables = dict(request.getfixturevalue(change))
    assert_same(ANALYSES[name](tables, lab.cycle), said(name))


@every_analysis
def test_inputs_are_left_as_they_were(name: str, lab: Lab, shop: dict[str, pd.DataFrame]) -> None:
    before = {k: t.copy() for k, t in shop.items()}
    ANALYSES[name](dict(shop), lab.cycle)
    for key, table in shop.items():
        pd.testing.assert_frame_equal(table, before[key])


@every_analysis
@pytest.mark.parametrize("rows", [0, 1])
def test_almost_no_data_gives_a_reason_or_an_honest_result(
    name: str, rows: int, lab: Lab, shop: dict[str, pd.DataFrame]
) -> None:
    few: Tables = {k: t.head(rows) for k, t in shop.items()}
    try:
        result = ANALYSES[name](few, lab.cycle).protect(10)
    except CxlabError as reason:
        assert len(str(reason)) > 20
        return
    # What rests on one person is never shown; a count of nobody may be.
    assert not (result.estimates["n"].fillna(0) == 1).any()
    assert result.sentence().strip()


@every_analysis
def test_few_rows_leave_the_engine(name: str, lab: Lab, tenfold: dict[str, Table]) -> None:
    """Ten times the customers and orders must not mean more rows in pandas."""
    engine = tenfold["customers"].engine
    engine.longest_answer = 0
    ANALYSES[name](dict(tenfold), lab.cycle)
    assert engine.longest_answer <= LONGER.get(name, 300)  # 4,000 customers, 23,000 orders


@pytest.mark.parametrize(
    "name", ["sales", "rfm", "migration", "compare", "repurchase", "consent bias"]
)
def test_amounts_in_a_small_currency_fit(
    name: str, lab: Lab, shop: dict[str, pd.DataFrame], said: Callable[[str], Result]
) -> None:
    """Rupiah are ten thousand times euro, and squares of them a hundred million times."""
    orders = shop["orders"].assign(net_amount=shop["orders"]["net_amount"] * 1_000_000)
    rupiah = ANALYSES[name]({**shop, "orders": orders}, lab.cycle).estimates
    euro = said(name).estimates
    money = euro["unit"].isin(["EUR", "amount"]).to_numpy()
    pd.testing.assert_series_equal(
        rupiah["estimate"][money], euro["estimate"][money] * 1_000_000, rtol=1e-6
    )
    pd.testing.assert_series_equal(rupiah["estimate"][~money], euro["estimate"][~money])
