"""Groups against all the others, on both engines."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.errors import DataError, ParameterError, Withheld
from cxlab.segments.comparison import compare
from cxlab.stats.comparison import compare_groups
from cxlab.stats.differences import newcombe, welch

CYCLE = parse_cycle("2026Q3")


def orders(**late):
    """One order a customer; `north=(56, 70)` has 56 of 70 late."""
    rows = [(region, i < hits) for region, (hits, size) in late.items() for i in range(size)]
    frame = pd.DataFrame(rows, columns=["region", "is_late"])
    return frame.assign(
        customer_id=[f"c{i}" for i in range(len(frame))],
        placed_at=pd.Timestamp("2026-08-01"),
        channel="shop",
    )


def test_two_groups_differ_by_newcombes_interval(engine):
    found = compare(
        engine.table(orders(north=(56, 70), south=(48, 80))), outcome="is_late", by="region"
    )
    north = found.table().set_index("region").loc["north"]
    expected = newcombe(56, 70, 48, 80)
    assert north[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [expected.estimate, expected.low, expected.high], rel=1e-12
    )
    assert north["p_value"] == pytest.approx(0.008045081, abs=5e-10)  # z 2.650171951, as printed
    assert found.family == 1
    assert found.sentence() == (
        "2 of 2 regions differ clearly from the others, most of all north: "
        "+20.0 points (+5.2 to +33.4), p = 0.008 after correction for 1."
    )


def test_means_differ_by_welchs_interval(engine):
    rng = np.random.default_rng(2)
    values = {"a": rng.integers(1, 6, 40), "b": rng.integers(2, 6, 50)}
    data = pd.DataFrame(
        [(group, int(v)) for group, many in values.items() for v in many], columns=["plan", "value"]
    )
    found = compare(engine.table(data), outcome="value", by="plan", unit="points")
    expected = welch(*[(len(v), v.sum(), (v**2).sum()) for v in values.values()])
    assert found.table().loc[0, ["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [expected.estimate, expected.low, expected.high], rel=1e-9
    )


def test_both_engines_and_any_order_of_rows_give_the_same_numbers(engine):
    data = orders(a=(20, 30), b=(33, 60), c=(41, 90))
    here = compare(data, outcome="is_late", by="region")
    there = compare(
        engine.table(data.sample(frac=1, random_state=3)), outcome="is_late", by="region"
    )
    pd.testing.assert_frame_equal(here.estimates, there.estimates, check_exact=True)


def test_repeated_rows_of_a_customer_prove_nothing_new():
    once = orders(a=(40, 60), b=(25, 60))
    thrice = pd.concat([once] * 3, ignore_index=True)
    single, found = (compare(x, outcome="is_late", by="region").table() for x in (once, thrice))
    loose = compare(thrice.drop(columns="customer_id"), outcome="is_late", by="region").table()
    # A little less sure than once each: Student's quantile over 60 customers for 1.96.
    assert single.loc[0, "p_value"] <= found.loc[0, "p_value"] < 1.5 * single.loc[0, "p_value"]
    assert loose.loc[0, "p_value"] < 0.01 * found.loc[0, "p_value"]


def test_groups_may_come_from_a_table_of_customers(engine):
    segments = pd.DataFrame(
        {"customer_id": [f"c{i}" for i in range(100)], "segment": ["ünï"] * 50 + ["b"] * 50}
    )
    data = orders(north=(70, 100))
    found = compare(engine.table(data), outcome="is_late", by=engine.table(segments))
    assert found.table()["segment"].tolist() == ["b", "ünï"]


def test_a_threshold_rows_and_a_cycle_can_be_chosen(engine):
    data = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(80)],
            "answered_at": [CYCLE.start] * 60 + [CYCLE.cutoff] * 20,
            "construct": ["csat"] * 50 + ["nps"] * 10 + ["csat"] * 20,
            "value": [5] * 20 + [2] * 15 + [4] * 15 + [10] * 10 + [1] * 20,
            "plan": ["a"] * 25 + ["b"] * 25 + ["a"] * 30,
        }
    )
    found = compare(
        engine.table(data), outcome="value", at_least=4, by="plan",
        only={"construct": "csat"}, cycle=CYCLE,
    )  # fmt: skip
    # Plan a: 20 of 25 in the top; plan b: 15 of 25.
    assert found.table()["estimate"].tolist() == pytest.approx([0.2, -0.2])
    assert set(found.estimates["measure"]) == {"value of 4 or more"}
    assert "2026Q3" in found.subtitle


def test_without_a_difference_the_detectable_one_is_said():
    found = compare(orders(a=(50, 100), b=(52, 100), c=(49, 100)), outcome="is_late", by="region")
    detectable = found.estimates[found.estimates["metric"] == "compare.detectable"][
        "estimate"
    ].max()
    assert found.sentence() == (
        "No detectable difference between 3 regions; "
        f"we could have seen {100 * detectable:.1f} points."
    )
    assert 0.15 < detectable < 0.25  # 2.8 + 0.4 standard errors of 0.061


def test_p_values_are_those_of_the_fit_and_on_record():
    data = orders(a=(83, 86), b=(90, 93), c=(129, 136), d=(70, 82))
    found = compare(data, outcome="is_late", by="region")
    fit = compare_groups(
        pd.DataFrame({"group": list("abcd"), "n": [86, 93, 136, 82], "total": [83, 90, 129, 70]}),
        kind="share",
    )
    for column, name in (("p_value", "p"), ("p_holm", "p_holm"), ("p_bh", "p_bh")):
        assert found.table()[column].tolist() == pytest.approx(fit[name].tolist(), rel=1e-9)
    on_record = {f["metric"] for f in found.findings()}
    assert {"compare.difference", "compare.p_holm", "compare.p_bh"} <= on_record
    assert found.family == 4
    assert "1 of 4 regions differs clearly from the others, which is d" in found.sentence()


def test_a_small_group_is_withheld_everywhere():
    data = orders(a=(30, 60), b=(40, 60), tiny=(1, 4))
    found = compare(data, outcome="is_late", by="region").protect(10)
    table = found.table().set_index("region")
    assert table.loc["tiny", "suppressed"]
    assert table.loc["tiny", ["estimate", "p_value", "p_holm"]].isna().all()
    assert found.plot() is not None
    assert "3 regions" in found.sentence()


def test_people_are_counted_not_their_orders():
    """Forty orders of four customers tell of four."""
    data = orders(a=(30, 60), b=(40, 60), few=(10, 40))
    data.loc[data["region"] == "few", "customer_id"] = [f"f{i % 4}" for i in range(40)]
    table = compare(data, outcome="is_late", by="region").protect(10).table().set_index("region")
    assert table.loc["few", "suppressed"]


def test_a_difference_in_money_tells_of_the_largest_customers_on_either_side(engine):
    data = orders(a=(0, 12), b=(0, 12)).assign(net_amount=10.0)
    data.loc[0, "net_amount"] = 890.0  # of 1,000 that group a brought
    found = compare(engine.table(data), outcome="net_amount", by="region", unit="EUR")
    tops = found.estimates.set_index(["metric", "region"])[["_top1", "_top2"]]
    assert tops.loc[("compare.difference", "a")].tolist() == [0.89, 0.9]
    assert tops.loc[("compare.p_value", "b")].tolist() == [0.89, 0.9]  # all others are a
    assert found.protect(10).estimates["suppressed"].all()
    shares = compare(engine.table(data), outcome="is_late", by="region").estimates
    assert not any(column.startswith("_") for column in shares.columns)


def test_when_all_is_withheld_the_sentence_says_so():
    found = compare(orders(a=(5, 12), b=(6, 12)), outcome="is_late", by="region").protect(50)
    assert "are withheld" in found.sentence()


def test_rows_without_an_outcome_are_left_out_and_counted():
    data = orders(a=(30, 60), b=(40, 60)).assign(
        value=[1.0, None, np.nan] + [0.0, 1.0] * 58 + [1.0]
    )
    found = compare(data, outcome="value", by="region")
    assert found.table()["n"].sum() == 118
    assert "2 without an outcome are left out" in found.note


def test_no_number_counts_as_no_outcome():
    frame = orders(a=(30, 60), b=(40, 60)).drop(columns="is_late")
    values = pa.array([float("nan")] * 5 + [1.0, 0.0] * 57 + [0.0], type=pa.float64())
    table = pa.Table.from_pandas(frame, preserve_index=False).append_column("value", values)
    for at_least in (None, 0.5):
        found = compare(table, outcome="value", by="region", at_least=at_least)
        assert found.table()["n"].sum() == 115


def test_a_share_of_other_numbers_is_refused():
    data = orders(a=(30, 60), b=(40, 60)).assign(value=[3, 0] * 60)
    with pytest.raises(DataError, match="60 rows are not; it ranges from 0 to 3"):
        compare(data, outcome="value", by="region")


def test_an_infinite_outcome_is_refused():
    data = orders(a=(30, 60), b=(40, 60)).assign(value=[np.inf] + [1.0] * 119)
    with pytest.raises(DataError, match="must be finite"):
        compare(data, outcome="value", by="region", unit="points")


def test_one_group_or_no_rows_are_withheld():
    with pytest.raises(Withheld, match="needs 2 regions with is_late"):
        compare(orders(a=(30, 60)), outcome="is_late", by="region")
    with pytest.raises(Withheld, match="no is_late to compare"):
        compare(orders(a=(30, 60)), outcome="is_late", by="region", only={"channel": "web"})


def test_an_empty_table_is_withheld(engine):
    empty = orders(a=(30, 60), b=(40, 60)).iloc[:0]
    with pytest.raises(Withheld, match="no is_late to compare"):
        compare(engine.table(empty), outcome="is_late", by="region")


def test_another_currency_changes_the_amounts_and_no_p_value(engine):
    rng = np.random.default_rng(4)
    data = orders(a=(30, 60), b=(40, 60)).assign(net_amount=rng.gamma(2, 50, 120).round(2))
    here = compare(data, outcome="net_amount", by="region", unit="EUR").table()
    rupiah = data.assign(net_amount=data["net_amount"] * 16_000)
    there = compare(engine.table(rupiah), outcome="net_amount", by="region", unit="IDR").table()
    assert there["p_value"].tolist() == pytest.approx(here["p_value"].tolist(), rel=1e-9)
    assert there["conf_low"].tolist() == pytest.approx((16_000 * here["conf_low"]).tolist())


def test_options_that_contradict_or_leave_open_are_refused():
    data = orders(a=(30, 60), b=(40, 60))
    with pytest.raises(ParameterError, match="at_least makes a share"):
        compare(data, outcome="is_late", by="region", at_least=1, unit="points")
    with pytest.raises(ParameterError, match="moment must name"):
        compare(data.assign(paid_at=pd.NaT), outcome="is_late", by="region", cycle=CYCLE)
    with pytest.raises(DataError, match="no column 'late'"):
        compare(data, outcome="late", by="region")


def test_when_it_was_loaded_is_not_when_it_happened():
    data = orders(a=(30, 60), b=(40, 60)).assign(loaded_at=CYCLE.cutoff)
    assert compare(data, outcome="is_late", by="region", cycle=CYCLE).table()["n"].sum() == 120


def test_a_column_may_be_named_in_plain_words():
    data = orders(a=(30, 60), b=(40, 60)).rename(columns={"is_late": "is it late?"})
    found = compare(data, outcome="is it late?", by="region")
    assert found.table()["estimate"].tolist() == pytest.approx([-1 / 6, 1 / 6])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "1,000 observations"),
        (["order_id"], "1,000 orders"),
        (["order_id", "response_id"], "1,000 answers"),
    ],
)
def test_the_base_says_what_was_counted(keys, said):
    data = orders(a=(200, 500), b=(300, 500)).assign(**dict.fromkeys(keys, "x"))
    found = compare(data, outcome="is_late", by="region")
    assert found.note.startswith(f"Base: {said}.")


def test_a_column_that_is_true_or_false_has_groups_and_no_plural():
    data = orders(a=(200, 500), b=(300, 500)).rename(columns={"region": "is_repeat"})
    said = compare(data, outcome="is_late", by="is_repeat").sentence()
    assert said.startswith("2 of 2 groups of is repeat differ")
