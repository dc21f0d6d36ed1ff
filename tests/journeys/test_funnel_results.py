"""What a funnel says: of whom its rates are, and that no earlier look makes them worse."""

import numpy as np
import pandas as pd
import pytest

from cxlab.cycle.findings import Shown, to_frame
from cxlab.cycle.index import measures
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import DuckEngine, Engine
from cxlab.data.funnel_settings import Funnel
from cxlab.data.kpis import kpi_problems
from cxlab.data.settings import Settings
from cxlab.errors import MissingColumnError, Withheld
from cxlab.journeys import (
    count_funnel,
    funnel,
    funnel_change,
    funnel_split,
    time_to_convert,
)
from cxlab.journeys.funnels.both_cycles import both_cycles
from cxlab.journeys.funnels.units import entered
from cxlab.report.disclosure import Policy
from cxlab.stats.intervals import wilson

from .funnel_logs import SPEC, START, two_cycles, visits
from .funnel_oracle import Oracle

CYCLE = parse_cycle("2018Q1")


def of(result, metric, **dims):
    rows = result.estimates[result.estimates["metric"] == metric]
    for name, value in dims.items():
        rows = rows[rows[name] == value] if value is not None else rows[rows[name].isna()]
    return rows


@pytest.fixture(scope="module")
def log():
    return two_cycles(np.random.default_rng(5))


def test_rates_are_of_those_whose_window_is_over_and_the_others_are_counted_in_sight(
    engine: Engine,
) -> None:
    # Four of 2018-01 of whom two buy, and twelve who came in the last ten days of March.
    rows = [(f"c{i}", "look", f"2018-01-{i + 1:02}") for i in range(20)]
    rows += [(f"c{i}", "cart", "2018-01-21") for i in range(12, 20)]
    rows += [(f"c{i}", "buy", "2018-01-22") for i in range(14, 20)]
    rows += [(f"d{i}", "look", "2018-03-25") for i in range(12)]
    rows += [("d0", "cart", "2018-03-26"), ("d0", "buy", "2018-03-27")]
    table = pd.DataFrame(rows, columns=["customer_id", "activity", "at"])
    log = table.assign(occurred_at=pd.to_datetime(table["at"])).drop(columns="at")
    found = funnel(engine.table(log), SPEC, cycle=CYCLE)
    whole = of(found, "funnel.conversion_rate").iloc[0]
    expected = wilson(6, 20)
    assert whole[["estimate", "conf_low", "conf_high", "n", "count"]].tolist() == pytest.approx(
        [0.3, expected.low, expected.high, 20, 6]
    )
    assert of(found, "funnel.reached")["estimate"].tolist() == [20, 8, 6]
    assert of(found, "funnel.step_rate")["estimate"].tolist() == [0.4, 0.75]
    assert of(found, "funnel.immature")["estimate"].tolist() == [12]
    safe = found.protect(5)
    assert safe.sentence() == (
        "30.0% of the 20 people that entered in 2018Q1 reached 'buy' within 10 days "
        "(14.5 to 51.9%); the largest loss is before 'cart': 60.0% of those at 'look' were lost "
        "(38.7 to 78.1%)."
    )
    assert safe.note.startswith(
        "Not counted, whether they converted or not: people that entered less than 10 days before "
        "the end (12)."
    )
    assert "in order, other contacts between them allowed" in safe.note
    assert "same moment count in either order" in safe.note


@pytest.mark.parametrize("name", ["2018M01", "2018M02", "2018M03", "2018Q1"])
def test_the_rate_does_not_fall_because_the_data_end_earlier(name: str) -> None:
    """Everybody converts alike all quarter long, wherever the extract is cut."""
    log = visits(np.random.default_rng(3), 6000, share=0.3, mean_days=4)
    truth = 0.3 * (1 - np.exp(-10 / 4))
    cycle = parse_cycle(name, length="month" if "M" in name else "quarter")
    row = of(funnel(log, SPEC, cycle=cycle), "funnel.conversion_rate").iloc[0]
    assert row["conf_low"] <= truth <= row["conf_high"]
    # All entrants as they stand at the end, the last ten days among them, look worse.
    reached = count_funnel(log, SPEC, start=cycle.start, cutoff=cycle.cutoff).reached
    entered, bought = (reached["n"][reached["step"] == step].sum() for step in (1, 3))
    assert bought / entered < row["estimate"] - 0.005


def test_parts_add_up_to_the_whole_and_the_choice_is_printed(log) -> None:
    table = DuckEngine().table(log)
    for attribution, said in (("first", "first step"), ("last", "furthest step reached")):
        spec = SPEC.model_copy(update={"attribution": attribution})
        found = funnel(table, spec, cycle=CYCLE, by="channel")
        assert f"channel as it was at the {said}" in found.subtitle
        reached = of(found, "funnel.reached")
        parts = reached[reached["channel"].notna()].groupby("step")["estimate"].sum()
        whole = reached[reached["channel"].isna()].set_index("step")["estimate"]
        assert parts[whole.index].tolist() == whole.tolist()
        alone = of(funnel(table, spec, cycle=CYCLE), "funnel.conversion_rate").iloc[0]
        row = of(found, "funnel.conversion_rate", channel=None).iloc[0]
        assert (
            row[["estimate", "conf_low", "n"]].tolist()
            == alone[["estimate", "conf_low", "n"]].tolist()
        )


def test_a_table_of_customers_makes_groups_too(log) -> None:
    half = log[["customer_id"]].drop_duplicates()
    half = half.assign(half=np.where(half["customer_id"].str[-1] < "5", "low", "high"))
    found = funnel(log, SPEC, cycle=CYCLE, by=half)
    shares = of(found, "funnel.conversion_rate")
    assert set(shares["half"].dropna()) == {"low", "high"}
    assert "its groups lie between" in found.protect(10).sentence()


def test_several_visits_of_one_person_are_not_several_opinions() -> None:
    """Each of 60 people comes four times and does the same each time."""
    once = visits(np.random.default_rng(1), 60, share=0.4)
    again = [once.assign(occurred_at=once["occurred_at"], session_id=f"{i}:" + once["customer_id"])
             for i in range(4)]  # fmt: skip
    spec = SPEC.model_copy(update={"count_by": "session"})
    row = of(funnel(pd.concat(again), spec, cycle=CYCLE), "funnel.conversion_rate").iloc[0]
    single = of(funnel(once, SPEC, cycle=CYCLE), "funnel.conversion_rate").iloc[0]
    assert row["estimate"] == pytest.approx(single["estimate"])
    assert row["n"] == 4 * single["n"]
    assert row["count"] == single["count"]  # people, not visits
    # As wide as that of the people, and a little wider for the few that they are.
    width = row["conf_high"] - row["conf_low"]
    assert 1 < width / (single["conf_high"] - single["conf_low"]) < 1.1


def test_an_optional_step_is_marked_and_no_loss_is_counted_there(log) -> None:
    steps = ["look", {"name": "cart", "activity": ["cart"], "optional": True}, "buy"]
    found = funnel(log, Funnel(steps=steps, window="10 days"), cycle=CYCLE)
    assert found.table()["step"].tolist() == ["look", "cart (optional)", "buy"]
    rates = of(found, "funnel.step_rate").set_index("step")["estimate"]
    whole = of(found, "funnel.conversion_rate")["estimate"].iloc[0]
    assert rates["buy"] == pytest.approx(whole)  # measured against look
    assert "before 'buy'" in found.sentence()


def test_too_few_mature_entrants_are_a_reason_and_no_rate() -> None:
    log = visits(np.random.default_rng(2), 200)
    late = log[log["occurred_at"] >= "2018-03-24"]
    with pytest.raises(Withheld, match=r"0; of \d+ more they are not over yet\.$"):
        funnel(late, SPEC, cycle=CYCLE)


@pytest.mark.parametrize(
    ("window", "says"),
    [("10 days", ""), ("45 days", ""), ("60 days", "its first 30 days"), ("90 days", "nobody's")],
)
def test_a_window_that_takes_most_of_a_cycle_says_what_to_set(window, says) -> None:
    log = visits(np.random.default_rng(2), 400)
    spec = SPEC.model_copy(update={"window": window})
    try:
        said = funnel(log, spec, cycle=CYCLE).note
    except Withheld as reason:
        said = str(reason)
    assert (says in said) and (bool(says) == ("set a shorter `window` of the funnel" in said))


def test_the_curve_counts_all_who_entered_and_the_last_of_them_as_long_as_seen(
    engine: Engine,
) -> None:
    log = visits(np.random.default_rng(8), 4000, share=0.3, mean_days=3)
    found = time_to_convert(engine.table(log), SPEC, cycle=CYCLE)
    end = of(found, "funnel.converted_within").iloc[0]
    assert end["n"] == 4000  # also those of the last ten days
    truth = 0.3 * (1 - np.exp(-10 / 3))
    assert end["conf_low"] <= truth <= end["conf_high"]
    mature = of(funnel(engine.table(log), SPEC, cycle=CYCLE), "funnel.conversion_rate").iloc[0]
    narrower = end["conf_high"] - end["conf_low"]
    assert narrower < mature["conf_high"] - mature["conf_low"]  # they are more, and none is lost
    curve = of(found, "funnel.converted_by")
    for day, row in curve.set_index("after_days").iterrows():
        assert row["estimate"] == pytest.approx(0.3 * (1 - np.exp(-day / 3)), abs=0.025)
    # Of the converters alone: their times are cut off at the window.
    cut = 1 - np.exp(-10 / 3)
    median = of(found, "funnel.converters_median").iloc[0]
    assert median["conf_low"] <= -3 * np.log(1 - cut / 2) <= median["conf_high"]
    assert "of the converters alone" in found.protect(10).sentence()


def test_no_two_times_shown_tell_of_a_few_people() -> None:
    log = visits(np.random.default_rng(8), 700, share=0.2)
    found = time_to_convert(log, SPEC, cycle=CYCLE)
    for both_sides in (False, True):
        shown = of(found.protect(Policy(min_cell=25, both_sides=both_sides)), "funnel.converted_by")
        between = np.diff(np.r_[0, shown["count"][~shown["suppressed"]]])
        assert len(between) > 2
        assert (between[:-1] >= 25).all()
        # Those after the last time but one are the other side of a share.
        assert between[-1] >= 25 or not both_sides


def test_a_curve_of_a_window_longer_than_the_cycle_ends_where_the_data_do() -> None:
    log = visits(np.random.default_rng(8), 900, share=0.5)
    spec = SPEC.model_copy(update={"window": "365 days"})
    found = time_to_convert(log, spec, cycle=CYCLE)
    assert of(found, "funnel.converted_within").empty
    assert found.sentence().startswith("Within 9")
    assert of(found, "funnel.converted_by")["estimate"].notna().all()


def test_a_change_is_the_difference_of_what_the_two_reports_say(engine: Engine, log) -> None:
    table = engine.table(log)
    found = funnel_change(table, SPEC, cycle=CYCLE)
    now, before = (
        of(funnel(table, SPEC, cycle=c), "funnel.conversion_rate")["estimate"].iloc[0]
        for c in (CYCLE, CYCLE.previous)
    )
    change = of(found, "funnel.conversion_change").iloc[0]
    assert change["estimate"] == pytest.approx(now - before)
    rows = found.table()
    assert rows["step"].tolist() == [None, "cart", "buy"]
    assert rows["estimate"].tolist() == pytest.approx(
        (rows["step_rate"] - rows["earlier_rate"]).tolist()
    )
    assert (rows["p_bh"].dropna() >= rows["p_value"].iloc[1:]).all()
    assert not found.estimates["method"].str.contains("both cycles").any()


def test_the_same_people_in_both_cycles_make_a_change_surer() -> None:
    """Each person does in both cycles the same: no chance is left in the difference."""
    now = visits(np.random.default_rng(4), 500)
    then = now.assign(occurred_at=now["occurred_at"] - pd.Timedelta(days=90))
    same = funnel_change(pd.concat([now, then]), SPEC, cycle=CYCLE)
    other = funnel_change(
        pd.concat([now, then.assign(customer_id="x" + then["customer_id"])]), SPEC, cycle=CYCLE
    )
    tied, apart = (of(r, "funnel.conversion_change").iloc[0] for r in (same, other))
    assert tied["estimate"] == pytest.approx(apart["estimate"])
    assert "people in both cycles" in tied["method"]
    assert tied["conf_high"] - tied["conf_low"] < 0.4 * (apart["conf_high"] - apart["conf_low"])


def test_no_clear_change_says_what_could_have_been_seen() -> None:
    rng = np.random.default_rng(12)
    log = pd.concat(
        [visits(rng, 800), visits(rng, 800, start=START - pd.Timedelta(days=91), who="d")]
    )
    said = funnel_change(log, SPEC, cycle=CYCLE).sentence()
    assert said.startswith("No clear change in the conversion from 2017Q4 to 2018Q1 (we could have")
    worse = pd.concat([visits(rng, 800, share=0.1),
                       visits(rng, 800, start=START - pd.Timedelta(days=91), who="d")])  # fmt: skip
    said = funnel_change(worse, SPEC, cycle=CYCLE).sentence()
    assert said.startswith("Lower conversion in 2018Q1 than in 2017Q4: −")
    assert "the share that went on changed at" in said


def test_a_step_that_nobody_reached_before_is_told() -> None:
    rng = np.random.default_rng(6)
    before = visits(rng, 300, start=START - pd.Timedelta(days=91), who="d")
    log = pd.concat([visits(rng, 300), before[before["activity"] != "buy"]])
    found = funnel_change(log, SPEC, cycle=CYCLE)
    assert "Nobody reached buy in 2017Q4: perhaps it was not recorded then." in found.note


def test_there_is_no_change_without_a_whole_cycle_before() -> None:
    log = visits(np.random.default_rng(6), 300)
    with pytest.raises(Withheld, match="Nobody entered"):
        funnel_change(log, SPEC, cycle=CYCLE)
    with pytest.raises(Withheld, match="complete from 2017-11-05"):
        funnel_change(log, SPEC, cycle=CYCLE, complete_from=pd.Timestamp("2017-11-05").date())


def test_the_split_adds_up_and_names_what_is_new(log) -> None:
    fax = visits(np.random.default_rng(9), 40, group="fax", who="f")
    found = funnel_split(pd.concat([log, fax]), SPEC, cycle=CYCLE, by="channel")
    parts = found.estimates[found.estimates["channel"].notna()]
    whole = of(found, "funnel.conversion_change")["estimate"].iloc[0]
    assert parts["estimate"].sum() == pytest.approx(whole, abs=1e-9)
    for metric in ("funnel.rate_change", "funnel.mix_change"):
        in_all = of(found, metric, channel=None)["estimate"].iloc[0]
        each = parts["estimate"][parts["metric"] == metric].sum()
        assert each == pytest.approx(in_all, abs=1e-9)
    assert of(found, "funnel.rate_change", channel="fax").empty
    assert "New in 2018Q1: fax; what is new or gone is mix alone." in found.note
    # The app grew, and converts better: another mix lifts the whole.
    assert of(found, "funnel.mix_change", channel=None)["conf_low"].iloc[0] > 0


def test_many_small_groups_share_a_row_and_still_add_up(log) -> None:
    many = log.assign(channel="n" + log["customer_id"].str[-2:])
    found = funnel_split(many, SPEC, cycle=CYCLE, by="channel")
    groups = found.estimates["channel"].dropna().unique()
    assert len(groups) == 12
    assert groups[-1] == "all others"
    parts = found.estimates[found.estimates["channel"].notna()]["estimate"].sum()
    assert parts == pytest.approx(of(found, "funnel.conversion_change")["estimate"].iloc[0])


def test_a_key_measure_shows_the_conversion_of_a_funnel_and_its_change(log) -> None:
    shown = [
        Shown(chapter="20_journeys", kind="result", sentence=r.sentence(), rows=r.findings(),
              anchor="", suppressed_cells=0)
        for r in (
            funnel(log, SPEC, cycle=CYCLE, by="channel"),
            funnel_change(log, SPEC, cycle=CYCLE),
            funnel(log, Funnel(steps=["cart", "buy"], window="5 days"), cycle=CYCLE, name="short"),
        )
    ]  # fmt: skip
    kpi = {
        "name": "Conversion of web visits", "metric": "funnel.conversion_rate",
        "change": "funnel.conversion_change", "owner": "A",
    }  # fmt: skip
    settings = Settings(title="A", raw="raw", kpis={"digital": kpi})
    assert not kpi_problems(settings)
    (made,) = measures(settings, to_frame(shown), previous="2017Q4", earlier=[], href={})
    whole = of(funnel(log, SPEC, cycle=CYCLE), "funnel.conversion_rate").iloc[0]
    assert made.tile.estimate == pytest.approx(whole["estimate"])
    assert made.tile.base == "entrants"
    assert made.tile.since == "2017Q4"
    assert np.isfinite([made.tile.change, made.tile.change_low, made.tile.change_high]).all()


@pytest.mark.parametrize("reentry", [False, True])
def test_people_in_both_cycles_are_multiplied_by_how_far_they_got_in_each(
    engine: Engine, *, reentry: bool
) -> None:
    log = two_cycles(np.random.default_rng(6), same_people=True)
    spec = SPEC.model_copy(update={"reentry": reentry})
    table = engine.table(log)
    sides = [entered(table, spec, start=c.start, cutoff=c.cutoff) for c in (CYCLE, CYCLE.previous)]
    found = both_cycles(*sides)
    moments = log.assign(at=log["occurred_at"].astype("datetime64[us]").astype("int64"))
    rows = moments.rename(columns={"customer_id": "person"})
    depths = []
    for cycle, side in zip((CYCLE, CYCLE.previous), sides, strict=True):
        seen = rows[(log["occurred_at"] >= cycle.start) & (log["occurred_at"] < cycle.cutoff)]
        oracle = Oracle(spec, seen.to_dict("records"), side.seen_until, {})
        depths.append(
            {unit[0]: max(at) for unit, at in oracle.units().items() if oracle.is_mature(at)}
        )
    shared = set(depths[0]) & set(depths[1])
    assert found.people == len(shared) > 20
    for (now, before), product in found.products.items():
        each = [depths[0][p] >= now and depths[1][p] >= before for p in shared]
        assert product == sum(each), (now, before)


def test_the_first_step_is_drawn_as_the_whole_and_is_not_called_withheld(log) -> None:
    drawn = funnel(log, SPEC, cycle=CYCLE).protect(10).plot()
    texts = [text.get_text() for text in drawn.texts]
    reached = of(funnel(log, SPEC, cycle=CYCLE), "funnel.reached")["estimate"].iloc[0]
    assert "withheld" not in texts
    assert f"{reached:,.0f}" in texts
    assert max(bar.get_width() for bar in drawn.patches) == pytest.approx(1.0)


def test_a_log_without_the_column_of_the_groups_says_what_to_map(log) -> None:
    silent = log.drop(columns="channel", errors="ignore")
    with pytest.raises(MissingColumnError, match=r"no column 'channel'.* Map it in tables/inter"):
        funnel(silent, SPEC, cycle=CYCLE, by="channel")
    found = funnel(silent.assign(channel=None), SPEC, cycle=CYCLE, by="channel")
    assert found.sentence().endswith(
        "no group can be shown, since the log does not say their channel."
    )
