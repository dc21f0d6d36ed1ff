"""The loyalty ladder, customer by customer."""

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.errors import DataError, Withheld
from cxlab.loyalty import ladder
from cxlab.loyalty.ladder import LATENT, NONE, SPURIOUS, TRUE
from cxlab.stats.intervals import wilson

CYCLE = parse_cycle("2018Q4")


def answer(who, value, day="2018-10-01", construct="nps", low=0, high=10, turned=False):
    return (who, pd.Timestamp(day), construct, float(value), low, high, turned)


def answers_of(rows):
    names = ["customer_id", "answered_at", "construct", "value", "scale_min", "scale_max"]
    return pd.DataFrame(rows, columns=[*names, "reversed"])


def orders_of(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])
    return frame.assign(placed_at=pd.to_datetime(frame["placed_at"]))


def number(result, metric, **dims):
    rows = result.estimates[result.estimates["metric"] == metric]
    for name, value in dims.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


# Twenty of each kind: what they answer, and how often they buy.
KINDS = {TRUE: (10, 3), LATENT: (9, 1), SPURIOUS: (4, 2), NONE: (2, 0)}


def shop(each=20, year="2018"):
    answers, orders = [], []
    for kind, (score, times) in KINDS.items():
        for i in range(each):
            answers.append(answer(f"{kind} {i}", score, f"{year}-10-01"))
            orders += [(f"{kind} {i}", f"{year}-0{k + 3}-01", 10.0) for k in range(times)]
    return answers, orders


def test_each_customer_is_in_one_box_by_attitude_and_behaviour(engine):
    answers, orders = shop()
    found = ladder(engine.table(answers_of(answers)), engine.table(orders_of(orders)),
                   cycle=CYCLE, currency="EUR")  # fmt: skip
    quarter = wilson(20, 80)
    for kind, (_, times) in KINDS.items():
        row = number(found, "ladder.share", box=kind)
        assert (row["estimate"], row["conf_low"], row["n"]) == (0.25, quarter.low, 80)
        assert number(found, "ladder.net_amount", box=kind)["estimate"] == 200.0 * times
    assert found.sentence().startswith(
        "Of 80 customers who told their attitude, 25.0% are attached and buy again"
    )
    assert "25.0% buy again without being attached" in found.sentence()
    assert found.sentence().endswith("the latter bring 33.3% of what all of them buy.")


def test_scales_are_stretched_turned_and_averaged_and_old_answers_forgotten():
    rows = []
    for i in range(12):
        # 6 of 7 and, turned, 2 of 5: (5/6 + 3/4) / 2 = 0.79; of 2017 nothing counts.
        rows += [
            answer(f"a{i}", 6, construct="attachment", low=1, high=7),
            answer(f"a{i}", 2, construct="intent", low=1, high=5, turned=True),
            answer(f"a{i}", 0, "2017-06-01"),
            answer(f"a{i}", 1, construct="csat", high=5),
        ]
    found = ladder(answers_of(rows), orders_of([("z", "2018-02-01", 1.0)]), cycle=CYCLE)
    assert number(found, "ladder.share", box=LATENT)["estimate"] == 1
    stricter = ladder(
        answers_of(rows), orders_of([("z", "2018-02-01", 1.0)]), cycle=CYCLE, attached_from=0.8
    )
    assert number(stricter, "ladder.share", box=NONE)["estimate"] == 1


def test_moves_are_of_those_who_told_their_attitude_both_times():
    before, bought = shop(year="2017")
    now, buys = shop()
    # All who were true have come to buy without being attached; nobody else has changed.
    now = [answer(r[0], 4) if r[0].startswith(TRUE) else r for r in now]
    found = ladder(answers_of(before + now), orders_of(bought + buys), cycle=CYCLE)
    assert number(found, "ladder.move_share", against=TRUE, box=SPURIOUS)["estimate"] == 1
    assert number(found, "ladder.move_share", against=LATENT, box=LATENT)["estimate"] == 1
    rows = found.estimates[found.estimates["metric"] == "ladder.move_share"]
    assert rows.groupby("against")["estimate"].sum().tolist() == [1, 1, 1, 1]


def test_what_comes_after_the_cycle_changes_nothing():
    rng = np.random.default_rng(3)
    answers, orders = shop()
    late = [answer(f"true {i}", rng.integers(0, 11), "2019-02-01") for i in range(20)]
    more = [(f"none {i}", "2019-01-05", 99.0) for i in range(20)]
    one = ladder(answers_of(answers), orders_of(orders), cycle=CYCLE)
    other = ladder(answers_of(answers + late), orders_of(orders + more), cycle=CYCLE)
    pd.testing.assert_frame_equal(one.estimates, other.estimates)


def test_too_few_answers_are_withheld_and_an_impossible_one_is_refused():
    answers, orders = shop(each=2)
    with pytest.raises(Withheld, match="at least 10 customers"):
        ladder(answers_of(answers), orders_of(orders), cycle=CYCLE)
    with pytest.raises(DataError, match="lie on its scale, but 1"):
        ladder(answers_of([*answers, answer("x", 11)]), orders_of(orders), cycle=CYCLE)
