"""What is under the water: counted by hand, and against what the made-up company hides."""

from datetime import date

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, frame
from cxlab.data.journey_settings import JourneySettings
from cxlab.errors import Withheld
from cxlab.journeys import iceberg, split_journeys
from cxlab.journeys.limits.dark_time import AFTER, BEFORE, pauses, window_frame
from tests.journeys.made import RULES, made

CYCLE = parse_cycle("2018Q1")
STAGES = [{"name": "look"}, {"name": "buy"}, {"name": "use", "after": True}]
OWN = JourneySettings(outcome=["bought"], stages=STAGES, gap="30 days")
ANY = JourneySettings(stages=STAGES)  # no outcome is declared
STAGE_OF = {"seen": "look", "bought": "buy", "called": "use"}


def log_of(*rows: tuple[str, str, str], early: bool = True) -> pd.DataFrame:
    """Build a log of (customer, day of 2018 as MM-DD and hour, activity).

    It begins early enough to be looked back in, with a contact of somebody else.
    """
    rows = tuple((who, f"2018-{day}", what) for who, day, what in rows)
    rows += (("nobody else", "2017-10-01", "seen"),) * early
    return pd.DataFrame(
        {
            "customer_id": [who for who, _, _ in rows],
            "occurred_at": pd.to_datetime([at for _, at, _ in rows], format="mixed"),
            "activity": [what for _, _, what in rows],
            "stage": [STAGE_OF[what] for _, _, what in rows],
        }
    )


def orders_of(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [who for who, _ in rows],
            "placed_at": pd.to_datetime([f"2018-{day}" for _, day in rows]),
        }
    )


def tens(*rows: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Let each row happen to ten people."""
    return [(f"{who}{i}", *rest) for who, *rest in rows for i in range(10)]


def cut(log: pd.DataFrame, engine: Engine | None = None, rules: JourneySettings = OWN):
    return split_journeys(log if engine is None else engine.table(log), rules, cutoff=CYCLE.cutoff)


def test_a_purchase_is_seen_by_a_contact_in_the_window_since_the_purchase_before(
    engine: Engine,
) -> None:
    log = log_of(*tens(  # type: ignore[arg-type]
        ("a", "01-10", "seen"),  # ten days before
        ("b", "01-10", "seen"),  # too long before
        ("c", "02-05", "called"),  # service is no way to a purchase
        ("d", "01-20", "bought"),  # nor is the purchase itself
        ("e", "01-10", "seen"),  # the first of two purchases took it
        ("f", "01-25", "seen"),  # after the purchase
        ("g", "01-20", "seen"),  # the purchase, as another system logs it
    ))  # fmt: skip
    orders = orders_of(*tens(  # type: ignore[arg-type]
        ("a", "01-20"), ("b", "02-20"), ("c", "02-10"), ("d", "01-20"), ("e", "01-20"),
        ("e", "01-25"), ("f", "01-20"), ("g", "01-20"),
    ))  # fmt: skip
    found = iceberg(cut(log, engine), engine.table(orders), cycle=CYCLE).estimates
    now = found[found["cycle"].isna()].set_index("metric")
    # Ten of a, and the first of each of the ten of e.
    assert now.loc["iceberg.purchases_seen_share", "estimate"] == pytest.approx(20 / 80)
    assert now.loc["iceberg.purchases_seen_share", "n"] == 80
    assert now.loc["iceberg.purchasers_seen_share", "estimate"] == pytest.approx(20 / 70)


def test_cancelled_orders_are_none_and_orders_of_one_moment_are_one_purchase() -> None:
    log = log_of(*tens(("a", "01-10", "seen")))  # type: ignore[arg-type]
    orders = orders_of(*tens(("a", "01-20"), ("a", "01-20"), ("b", "01-20")))  # type: ignore[arg-type]
    orders["status"] = ["paid"] * 20 + ["cancelled"] * 10
    found = iceberg(cut(log, rules=ANY), orders, cycle=CYCLE).estimates.set_index("metric")
    row = found.loc["iceberg.purchases_seen_share"].iloc[0]
    assert (row["estimate"], row["n"]) == (1, 10)


def test_a_service_contact_comes_out_of_nowhere_without_order_and_contact_before(
    engine: Engine,
) -> None:
    log = log_of(*tens(  # type: ignore[arg-type]
        ("a", "02-10", "called"), ("b", "02-10", "called"), ("c", "02-10", "called"),
        ("c", "02-05", "seen"), ("d", "01-05", "seen"), ("d", "03-10", "called"),
    ))  # fmt: skip
    orders = orders_of(*tens(("b", "02-01")))  # type: ignore[arg-type]
    found = iceberg(cut(log, engine, ANY), engine.table(orders), cycle=CYCLE).estimates
    row = found[found["cycle"].isna()].set_index("metric").loc["iceberg.unexplained_share"]
    assert (row["estimate"], row["n"]) == (0.5, 40)  # those of a, and of d two months later


def test_nothing_is_said_of_time_after_outcomes_that_no_contact_follows(engine: Engine) -> None:
    bought = (("a", "01-10", "seen"), ("a", "01-12", "bought"))
    log = log_of(*tens(*bought))  # type: ignore[arg-type]
    found = iceberg(cut(log, engine), cycle=CYCLE)
    dark = found.estimates[found.estimates["metric"] == "iceberg.dark_share"]
    assert set(dark["side"]) == {BEFORE}
    assert "Nothing is said of the time after the outcome" in found.note
    log = log_of(*tens(*bought, ("a", "01-20", "called")))  # type: ignore[arg-type]
    found = iceberg(cut(log, engine), cycle=CYCLE)
    assert AFTER in set(found.estimates["side"])
    assert "Nothing is said" not in found.note


def test_time_is_dark_further_than_the_limit_from_contacts_on_both_sides(engine: Engine) -> None:
    log = log_of(
        ("a", "01-01 00:00", "seen"), ("a", "01-03 00:00", "seen"), ("a", "01-03 12:00", "bought"),
        ("a", "01-05 00:00", "called"), ("b", "03-25 00:00", "seen"),
        ("b", "03-26 00:00", "bought"),
    )  # fmt: skip
    windows = window_frame([CYCLE], CYCLE.start)
    rows = pauses(cut(log, engine), windows, window="10 days", near="6 hours")
    found = frame(rows[["person", "side", "whole_us", "dark_us"]], limit=100)
    hour = 3_600_000_000
    told = sorted(
        ("ab"[p - 1], s, w // hour, d // hour) for p, s, w, d in found.itertuples(index=False)
    )
    assert told == [
        ("a", 0, 12, 0),  # half a day is within six hours of either end
        ("a", 0, 48, 36),
        ("a", 1, 36, 24),  # from the purchase to the call
        ("a", 1, 204, 198),  # from the call to ten days after the purchase, one end open
        ("b", 0, 24, 12),
        # Ten days after the purchase of b are not over at the end of the cycle.
    ]


def test_service_that_a_journey_opens_with_is_about_something_else() -> None:
    log = log_of(("a", "01-01", "called"), ("a", "01-11", "seen"), ("a", "01-12", "bought"))
    rows = pauses(cut(log), window_frame([CYCLE], CYCLE.start), window="5 days", near="1 hours")
    found = frame(rows[["side", "whole_us"]], limit=9)
    day = 86_400_000_000
    assert sorted(found.itertuples(index=False, name=None)) == [(0, day), (1, 5 * day)]


def test_the_sentence_says_how_many_of_ten_and_where_the_dark_lies() -> None:
    log = log_of(*tens(  # type: ignore[arg-type]
        ("a", "01-10", "seen"), ("a", "01-12", "bought"), ("a", "01-14", "called"),
    ))  # fmt: skip
    orders = orders_of(*tens(("a", "01-12"), ("b", "01-12")))  # type: ignore[arg-type]
    found = iceberg(cut(log), orders, cycle=CYCLE)
    said = found.protect(10).sentence()
    assert said.startswith("About 5 of 10 purchases of 2018Q1 come without any contact")
    assert f"50.0% of the time {BEFORE} and" in said
    assert f"of the time {AFTER} lie more than" in said
    alone = iceberg(cut(log), cycle=CYCLE)
    assert "Without orders nothing is said of purchases." in alone.note
    assert "iceberg.purchases_seen_share" not in set(alone.estimates["metric"])


def test_a_log_of_visitors_alone_cannot_be_set_against_purchases() -> None:
    log = log_of(*tens(("a", "01-10", "seen")))  # type: ignore[arg-type]
    log = log.rename(columns={"customer_id": "anonymous_id"})
    orders = orders_of(("a0", "01-20"))
    with pytest.raises(Withheld, match="anonymous visitors only"):
        iceberg(cut(log, rules=ANY), orders, cycle=CYCLE)
    with pytest.raises(Withheld, match="Nothing of 2018Q1"):
        iceberg(cut(log, rules=JourneySettings()), cycle=CYCLE)


def test_the_trend_has_the_cycles_that_the_log_reaches_back_from() -> None:
    days = pd.date_range("2016-11-20", "2018-03-30", freq="5D")
    log = pd.DataFrame(
        [(f"c{i}", day, "seen", "look") for day in days for i in range(12)],
        columns=["customer_id", "occurred_at", "activity", "stage"],
    )
    orders = pd.DataFrame(
        [(f"c{i}", day) for day in days[::10] for i in range(12)],
        columns=["customer_id", "placed_at"],
    )
    found = iceberg(cut(log, rules=ANY), orders, cycle=CYCLE).estimates
    trend = found[found["cycle"].notna()]
    # Of 2016Q4 the log does not hold the 30 days before its start.
    assert list(trend["cycle"]) == ["2017Q1", "2017Q2", "2017Q3", "2017Q4", "2018Q1"]
    # The contact of the same moment counts as before.
    assert (trend["estimate"] == 1).all()


def test_what_comes_out_of_habit_in_the_made_up_company_is_found() -> None:
    """Half of its orders have no journey (`company.habit`), in every cycle."""
    log, orders = made()
    now = parse_cycle("2026Q2")
    found = split_journeys(log.drop(columns="true_journey"), RULES, cutoff=now.cutoff)
    rows = iceberg(found, orders, cycle=now).estimates
    seen = rows[(rows["metric"] == "iceberg.purchases_seen_share") & rows["channel"].isna()]
    assert len(seen) == 9
    # 4 standard errors; orders minutes after another have no journey either, some 1 %.
    spread = 4 * (0.25 / seen["n"]) ** 0.5 + 0.02
    assert ((seen["estimate"] - 0.5).abs() <= spread).all()


def test_a_log_that_begins_late_judges_no_purchase_that_it_cannot_look_back_from() -> None:
    """Each purchase has a contact an hour before; the log begins within the cycle."""
    days = pd.date_range("2018-01-01", "2018-03-31", freq="6h")
    people = [f"c{i}" for i in range(len(days))]
    orders = pd.DataFrame({"customer_id": people, "placed_at": days})
    log = pd.DataFrame({"customer_id": people, "occurred_at": days - pd.Timedelta(hours=1),
                        "activity": "seen", "stage": "look"})  # fmt: skip
    log = log[log["occurred_at"] >= "2018-02-20"]
    found = iceberg(cut(log, rules=ANY), orders, cycle=CYCLE, window="30 days")
    row = found.estimates[found.estimates["metric"] == "iceberg.purchases_seen_share"].iloc[0]
    assert (row["estimate"], row["n"]) == (1, (days >= "2018-03-22 05:00").sum())
    assert "from 2018-03-2" in found.note
    # A day from which the data are complete says the same, whatever stands before it.
    whole = iceberg(cut(log, rules=ANY), orders, cycle=CYCLE, complete_from=date(2018, 2, 25))
    assert whole.estimates["n"].iloc[0] < row["n"]
    with pytest.raises(Withheld, match="begins so late"):
        iceberg(cut(log, rules=ANY), orders, cycle=CYCLE, window="60 days")


def test_pauses_of_less_than_a_second_are_no_time_to_have_a_share_of() -> None:
    log = log_of(*tens(("a", "01-10 10:00:00.0", "seen"), ("a", "01-10 10:00:00.5", "bought")))
    orders = orders_of(*tens(("a", "01-10 10:00:00.5")))  # type: ignore[arg-type]
    found = iceberg(cut(log), orders, cycle=CYCLE)
    before = found.estimates[found.estimates["side"] == BEFORE]
    assert before.empty or (before["n"] > 0).all()


def test_the_table_lists_the_largest_channels_and_the_findings_keep_all() -> None:
    channels = [f"channel {i:02}" for i in range(12)]
    people = [(f"{name} {i}", name) for k, name in enumerate(channels) for i in range(10 + k)]
    log = log_of(*[(who, "02-01", "seen") for who, _ in people])
    orders = orders_of(*[(who, "02-03") for who, _ in people])
    found = iceberg(
        cut(log, rules=ANY), orders.assign(channel=[name for _, name in people]), cycle=CYCLE
    ).protect(5)  # fmt: skip
    assert set(found.estimates["channel"].dropna()) == set(channels)
    assert found.table()["channel"].dropna().tolist() == channels[4:]
    assert "4 numbers of rarer ones are kept in findings.csv" in found.note
    assert len(found.findings()) == len(found.estimates)


def test_a_log_without_stages_and_orders_is_told_in_words_alone() -> None:
    log = log_of(*tens(("a", "01-10", "seen"), ("a", "01-12", "bought")))  # type: ignore[arg-type]
    found = iceberg(
        cut(log.drop(columns="stage"), rules=JourneySettings(outcome=["bought"], gap="30 days")),
        cycle=CYCLE,
    )
    assert found.plot() is None
    assert "of the time before" in found.sentence()
