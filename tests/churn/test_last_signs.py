"""Silent leavers and last straws: against rows and planted truths."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import churn_drivers, last_straw, signals, silent_leavers
from cxlab.data.engine import Engine, frame
from cxlab.errors import ParameterError, Withheld
from cxlab.stats.cox import cox
from cxlab.stats.intervals import wilson
from tests.labs import TableLab

from .test_drivers import CYCLE

DAY = pd.Timedelta(days=1)


def lives(seed: int, n: int = 1200, *, ratio: float = 3.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Subscriptions of which 0.2 % end a day, `ratio` times as many in the 30 days after a sign.

    Another sign comes as often and says nothing.
    """
    rng = np.random.default_rng(seed)
    started = pd.Timestamp("2017-06-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    ids = [f"{i:05}" for i in range(n)]
    seen = {name: started + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
            for name in ("late delivery", "newsletter")}  # fmt: skip
    ended = np.full(n, np.datetime64("NaT", "s"))
    open_ = np.ones(n, dtype=bool)
    for day in range(580):
        now = started + day * DAY
        late = (seen["late delivery"] < now) & (seen["late delivery"] >= now - 30 * DAY)
        goes = open_ & (rng.random(n) < 0.002 * np.where(late, ratio, 1.0))
        ended[goes] = (now + pd.Timedelta(hours=9))[goes].to_numpy().astype("datetime64[s]")
        open_ &= ~goes
    table = pd.DataFrame({"subscription_id": ids, "customer_id": ids, "started_at": started,
                          "ended_at": ended, "end_kind": "voluntary"})  # fmt: skip
    signs = pd.concat(
        [pd.DataFrame({"customer_id": ids, "signal": name, "occurred_at": at})
         for name, at in seen.items()], ignore_index=True,
    )  # fmt: skip
    return table, signs


def test_a_planted_straw_is_found_and_another_is_not() -> None:
    table, signs = lives(1, 4000)
    found = last_straw(table, signs, cycle=CYCLE)
    rows = found.table().set_index("covariate")
    assert rows.loc["late delivery", "conf_low"] <= 3 <= rows.loc["late delivery", "conf_high"]
    assert rows.loc["newsletter", "conf_low"] <= 1 <= rows.loc["newsletter", "conf_high"]
    said = found.protect(10).sentence()
    assert said.startswith("Late delivery, looked at by itself, is followed within 30 days by ")
    assert "Clear as well" not in said
    assert found.plot()


def test_ratios_are_those_of_a_row_per_day_of_each_life(engine: Engine) -> None:
    table, once = lives(2, 250)
    # Some signs come again while the one before still counts, on the same day, or long after it.
    again = [once.iloc[0::4].assign(occurred_at=once["occurred_at"] + days * DAY)
             for days in (0.1, 11, 30, 31, 75)]  # fmt: skip
    signs = pd.concat([once, *again], ignore_index=True)
    found = last_straw(engine.table(table), engine.table(signs), cycle=CYCLE, cycles=3)
    begin, cutoff = pd.Timestamp("2018-04-01"), pd.Timestamp(CYCLE.cutoff)
    late = signs[signs["signal"] == "late delivery"].groupby("customer_id")["occurred_at"]
    came = {customer: moments.to_numpy() for customer, moments in late}
    rows = []
    for life in table.itertuples():
        over = life.ended_at < cutoff
        end = life.ended_at if over else cutoff
        if end < begin or life.started_at >= cutoff:
            continue
        first = max(int(np.ceil((begin - life.started_at) / DAY)), 0)
        last = int((end - life.started_at) // DAY)
        for day in range(first, last + 1):
            at = life.started_at + day * DAY
            mine = came[life.customer_id]
            met = ((mine >= at - 30 * DAY) & (mine < at)).any()
            rows.append((day, float(met), float(over and day == last)))
    each = pd.DataFrame(rows, columns=["day", "met", "had"])
    fit = cox(each[["met"]], each["day"] + 1, each["had"], entry=each["day"]).table().iloc[0]
    mine = found.table().set_index("covariate").loc["late delivery"]
    for column in ("estimate", "conf_low", "conf_high"):
        assert mine[column] == pytest.approx(fit[column], rel=1e-6)
    assert mine["share"] == pytest.approx(each[each["had"] == 1]["met"].mean())


def test_a_sign_on_the_day_of_leaving_or_after_it_says_nothing() -> None:
    table, signs = lives(3, 1000)
    left = table[table["ended_at"].notna()]
    same_day = pd.DataFrame({"customer_id": left["customer_id"], "signal": "late delivery",
                             "occurred_at": left["ended_at"] - pd.Timedelta(hours=1)})  # fmt: skip
    grown = pd.concat([signs, same_day], ignore_index=True)
    one, two = (last_straw(table, s, cycle=CYCLE).estimates for s in (signs, grown))
    pd.testing.assert_frame_equal(one, two)


def test_no_straw_is_found_where_none_is() -> None:
    """Of 20 null tables at most 5 may name one of two signs at 5 % (99.9 % binomial bound)."""
    named = 0
    for seed in range(20):
        table, signs = lives(200 + seed, 400, ratio=1.0)
        rows = last_straw(table, signs, cycle=CYCLE, cycles=6).table()
        named += bool((rows["p_bh"] < 0.05).any())
    assert named <= 5


def test_too_little_is_said() -> None:
    table, signs = lives(4, 300)
    with pytest.raises(Withheld, match="Last signs need 10 subscriptions"):
        last_straw(table.head(8), signs, cycle=CYCLE)
    with pytest.raises(Withheld, match="No sign came to 5 leavers"):
        last_straw(table, signs.head(0), cycle=CYCLE)
    with pytest.raises(ParameterError, match="1 or more, but is 0"):
        last_straw(table, signs, cycle=CYCLE, within_days=0)


def test_silent_is_who_said_nothing_in_the_days_before_leaving(engine: Engine) -> None:
    table, _ = lives(5, 1500)
    table = table.assign(monthly_amount=np.where(table.index % 3, 10.0, 13.0) + table.index % 7)
    table["plan"] = np.where(table.index % 5 == 0, "small", "large")
    inside = (table["ended_at"] >= CYCLE.start) & (table["ended_at"] < CYCLE.cutoff)
    left = table[inside]
    spoke, long_ago, after = left.iloc[::2], left.iloc[1::4], left.iloc[3::4]
    said = pd.concat(
        [
            pd.DataFrame({"customer_id": lot["customer_id"], "occurred_at": lot["ended_at"] + gap})
            for lot, gap in ((spoke, -179 * DAY), (long_ago, -181 * DAY), (after, DAY))
        ]
    )
    found = silent_leavers(
        engine.table(table), engine.table(said), cycle=CYCLE, currency="EUR", by="plan", days=180
    )
    rows = found.estimates
    share = rows[(rows["metric"] == "churn.silent_share") & (rows["cycle"] == CYCLE.name)].iloc[0]
    expected = wilson(len(left) - len(spoke), len(left))
    assert share[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )
    fees = rows[rows["metric"] == "churn.leaver_amount"].set_index("voice")["estimate"]
    assert fees["heard"] == pytest.approx(spoke["monthly_amount"].mean())
    assert fees["silent"] == pytest.approx(left.drop(spoke.index)["monthly_amount"].mean())
    lasted = (left["ended_at"] - left["started_at"]) // DAY
    days = rows[rows["metric"] == "churn.leaver_days"].set_index("voice")["estimate"]
    assert days["heard"] == pytest.approx(lasted[spoke.index].mean())
    gap = rows[rows["metric"] == "churn.leaver_days_difference"].iloc[0]
    assert gap["estimate"] == pytest.approx(days["silent"] - days["heard"])
    groups = rows[rows["metric"] == "churn.silent_group_share"].set_index("plan")
    for plan, lot in left.groupby("plan"):
        silent = len(lot) - lot.index.isin(spoke.index).sum()
        assert groups.loc[plan, ["estimate", "n"]].tolist() == [silent / len(lot), len(lot)]
    assert "had said nothing in the 180 days before" in found.protect(10).sentence()
    assert found.plot()


def test_silence_before_the_records_is_none() -> None:
    table, signs = lives(6, 600)
    said = signs[["customer_id", "occurred_at"]]
    how = {"cycle": CYCLE, "currency": "EUR"}
    with pytest.raises(Withheld, match="records begin on 2018-08-01"):
        silent_leavers(table, said, complete_from=pd.Timestamp("2018-08-01").date(), **how)
    found = silent_leavers(table, said, complete_from=pd.Timestamp("2018-01-01").date(), **how)
    shares = found.estimates[found.estimates["metric"] == "churn.silent_share"]
    assert shares["cycle"].min() == "2018Q3"
    with pytest.raises(Withheld, match="need 10 customers who left"):
        silent_leavers(table.head(5), said, **how)


def test_a_ticket_is_slow_once_its_days_are_over_and_solved_later_or_not_at_all(
    engine: Engine,
) -> None:
    opened = pd.Timestamp("2018-02-01 09:00")
    days = [2.0, 3.5, None, None]  # until solved; the last one is opened just before the end
    tickets = pd.DataFrame(
        {
            "ticket_id": range(4), "customer_id": list("abcd"),
            "opened_at": [opened, opened, opened, pd.Timestamp("2018-12-30")],
            "solved_at": [opened + pd.Timedelta(days=d) if d else pd.NaT for d in days],
        }
    )  # fmt: skip
    customers = pd.DataFrame({"customer_id": list("abcd")})
    tables = {"customers": engine.table(customers), "tickets": engine.table(tickets)}

    def slow(**given: object) -> list[tuple[str, pd.Timestamp]]:
        lab = TableLab(given.pop("tables", tables), CYCLE, purpose="service", **given)
        found = frame(signals(lab)[["customer_id", "signal", "occurred_at"]], limit=20)
        found = found[found["signal"] == "ticket solved slowly"].sort_values("customer_id")
        return list(zip(found["customer_id"], found["occurred_at"], strict=True))

    over = opened + pd.Timedelta(days=3)
    assert slow() == [("b", over), ("c", over)]
    assert slow(definitions={"slow_days": 5}) == [("c", opened + pd.Timedelta(days=5))]
    unsolved = engine.table(tickets.drop(columns="solved_at"))
    assert slow(tables=tables | {"tickets": unsolved}) == []


def test_a_straw_says_what_the_same_sign_goes_with_over_a_longer_time() -> None:
    """The rate is raised for 30 days, so that a sign of 91 days tells less of the next cycle."""
    table, signs = lives(1, 4000)
    asked = churn_drivers(table, signs, cycle=CYCLE, window_days=91, cycles=2)
    found = last_straw(table, signs, cycle=CYCLE, beside=asked).protect(10)
    long = asked.table().set_index("covariate").loc["late delivery"]
    assert f"the ratio per sign is clearly another: {long['estimate']:.2f} (" in found.sentence()
    assert "Asked of the 91 days before a cycle" in found.sentence()
    assert "Asked" not in last_straw(table, signs, cycle=CYCLE, beside=None).sentence()
    hidden = last_straw(table, signs, cycle=CYCLE, beside=asked).protect(10_000)
    assert hidden.beside.estimates["suppressed"].all()


def test_what_silent_leavers_clearly_differ_in_comes_first() -> None:
    table, _ = lives(5, 1500)
    table = table.assign(monthly_amount=10.0 + table.index % 7)
    left = table[(table["ended_at"] >= CYCLE.start) & (table["ended_at"] < CYCLE.cutoff)]
    early = left.sort_values("started_at").index[len(left) // 2 :]  # those who had not been long
    said = pd.DataFrame({"customer_id": table.loc[early, "customer_id"],
                         "occurred_at": table.loc[early, "ended_at"] - DAY})  # fmt: skip
    text = silent_leavers(table, said, cycle=CYCLE, currency="EUR").protect(10).sentence()
    assert "Against those who spoke, they had been under contract longer, +" in text
    assert "Their monthly fee does not clearly differ." in text
    assert text.index("longer") < text.index("monthly fee")


def test_who_keeps_or_begins_another_subscription_has_not_left(engine: Engine) -> None:
    table, _ = lives(7, 1500)
    inside = (table["ended_at"] >= CYCLE.start) & (table["ended_at"] < CYCLE.cutoff - 8 * DAY)
    left = table[inside]
    assert len(left) > 60
    same_day, in_time, too_late, over = (left.iloc[i * 12 : (i + 1) * 12] for i in range(4))

    def next_one(of: pd.DataFrame, name: str, gap: pd.Timedelta, lasts: object) -> pd.DataFrame:
        began = of["ended_at"] + gap
        ids = name + of["subscription_id"]
        return of.assign(subscription_id=ids, started_at=began, ended_at=lasts)

    more = pd.concat(
        [
            table,
            next_one(same_day, "a", 0 * DAY, pd.NaT),
            next_one(in_time, "b", 7 * DAY, pd.NaT),
            next_one(too_late, "c", 7 * DAY + pd.Timedelta(seconds=1), pd.NaT),
            next_one(over, "d", -40 * DAY, over["ended_at"] - DAY),  # ended before the last one
        ]
    )
    nobody = pd.DataFrame({"customer_id": ["x"], "occurred_at": [pd.Timestamp(CYCLE.start)]})
    before, after = (
        silent_leavers(engine.table(t), engine.table(nobody), cycle=CYCLE, currency="EUR")
        for t in (table, more)
    )
    n = [
        r.estimates[r.estimates["cycle"].eq(CYCLE.name) & r.estimates["metric"].eq(
            "churn.silent_share")]["n"].iloc[0]
        for r in (before, after)
    ]  # fmt: skip
    assert n[0] - n[1] == 24
    assert "Not among them: 24 customers who kept another one" in after.protect(10).note
    assert "fewer than 30 customers" in after.protect(30).note
    assert "None of them kept another one" in before.note
