"""Tables say what numbers are, and customers' words stay words."""

from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from cxlab.report import tables

FRAME = pd.DataFrame(
    {
        "segment": ["Loyal", "New", None],
        "estimate": [0.784, np.nan, 0.7],
        "conf_low": [0.767, np.nan, 0.69],
        "conf_high": [0.80, np.nan, 0.71],
        "n": [2357.0, np.nan, 4791.0],
        "suppressed": [False, True, False],
    }
)


def rendered(frame=FRAME, **how):
    how = {"caption": "Satisfied customers", "unit": "share", "uid": "f1"} | how
    return BeautifulSoup(tables.render(frame, **how), "html.parser")


def cells(soup, row):
    return [c.get_text() for c in soup.select("tbody tr")[row].find_all(["th", "td"])]


def test_heads_are_plain_words_and_the_interval_is_one_column():
    heads = [h.get_text() for h in rendered().select("thead th")]
    assert heads == ["Segment", "Estimate", "95% interval", "Base"]


def test_numbers_are_rounded_in_their_unit():
    assert cells(rendered(), 0) == ["Loyal", "78.4%", "76.7 to 80.0%", "2,357"]


def test_a_change_has_its_sign_and_one_of_shares_is_in_points():
    moves = FRAME.iloc[:1].assign(metric="csat.change", estimate=0.031, conf_low=-0.002)
    assert cells(rendered(moves), 0)[1:3] == ["+3.1 points", "−0.2 to +80.0"]
    moves["metric"] = "orders.net_amount_relative_change"
    assert cells(rendered(moves), 0)[1] == "+3.1%"


def test_a_difference_is_signed_also_where_its_name_is_not_shown():
    money = rendered(FRAME.iloc[:1], unit="EUR", metric="compare.difference")
    assert cells(money, 0)[1:3] == ["EUR +0.78", "EUR +0.77 to +0.80"]


def test_an_interval_without_a_unit_is_as_fine_as_its_estimate():
    ratio = FRAME.iloc[:1].assign(estimate=1.08, conf_low=0.66, conf_high=1.37)
    assert cells(rendered(ratio, unit=None), 0)[1:3] == ["1.08", "0.66 to 1.37"]


def test_a_complete_count_has_no_interval():
    counted = FRAME.iloc[:1].assign(estimate=400, conf_low=400, conf_high=400)
    assert cells(rendered(counted, unit="count"), 0)[1:3] == ["400", "–"]


def test_a_tiny_p_value_is_never_zero():
    frame = pd.DataFrame({"region": ["West", "East"], "p_holm": [1e-9, 0.04321]})
    table = rendered(frame)
    assert [cells(table, 0)[1], cells(table, 1)[1]] == ["<0.001", "0.043"]


def test_suppressed_cells_say_so_and_never_look_like_zero():
    assert cells(rendered(), 1) == ["New", "withheld", "withheld", "withheld"]


def test_a_group_without_a_name_is_everybody():
    assert cells(rendered(), 2)[0] == "All"


def test_every_head_has_a_scope_and_the_scroller_is_named_by_the_caption():
    soup = rendered()
    assert {h["scope"] for h in soup.select("thead th")} == {"col"}
    assert {h["scope"] for h in soup.select("tbody th")} == {"row"}
    region = soup.find("div")
    assert region["tabindex"] == "0"
    assert soup.find(id=region["aria-labelledby"]).get_text() == "Satisfied customers"


def test_units_may_differ_by_row_and_by_column():
    frame = pd.DataFrame(
        {"metric": ["csat.mean", "orders.net_amount"], "estimate": [4.123, 1234.5]}
    ).assign(unit=["points", "BRL"])
    assert cells(rendered(frame, unit=None), 0) == ["Mean satisfaction", "4.12"]
    assert cells(rendered(frame, unit=None), 1) == ["Net revenue", "BRL 1,234"]
    other = pd.DataFrame({"month": [1, 2], "expected": [0.5, 0.25], "churn_rate": [0.1, 0.2]})
    soup = rendered(other, unit=None, units={"expected": "share"})
    assert cells(soup, 0) == ["1", "50.0%", "10.0%"]


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "\"' onerror=x", "{{ 7*7 }}", "a\u202eb\u2066c", "a\x00b"],
)
def test_customers_words_arrive_as_plain_text(hostile):
    frame = pd.DataFrame({"said": [hostile], "n": [1]})
    soup = rendered(frame, caption=hostile)
    shown = hostile.replace("\u202e", "").replace("\u2066", "").replace("\x00", "")
    assert cells(soup, 0)[0] == shown
    assert soup.find("script") is None
    assert soup.select_one("tbody bdi").get_text() == shown
    assert not any(mark in str(soup) for mark in "\u202e\u2066\x00")


@given(st.sampled_from("=+-@\t\r\n＝＋－＠"), st.text(max_size=8))
def test_no_text_in_a_csv_file_starts_a_formula(start, rest):
    frame = pd.DataFrame({"said": [start + rest], "change": [-1.5]})
    row = tables.csv(frame).split("\n", 1)[1]
    assert row.lstrip('"').startswith("'" + start)
    assert ",-1.5" in row


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\x00", "\x1f"])
def test_a_mark_that_nobody_sees_hides_no_formula_in_a_csv_file(mark):
    frame = pd.DataFrame({"said": [f"{mark}=1+1{mark}"]})
    assert tables.csv(frame) == "said\n'=1+1\n"


def test_numbers_stay_numbers_in_a_csv_file():
    assert tables.csv(pd.DataFrame({"x": [-0.25], "y": [True]})) == "x,y\n-0.25,True\n"


def test_inputs_are_not_changed():
    frame = pd.DataFrame({"said": ["=1"], "n": [1]})
    before = frame.copy(deep=True)
    tables.csv(frame)
    rendered(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_the_download_link_carries_the_whole_file():
    link = BeautifulSoup(tables.download(FRAME, name="a-b"), "html.parser").a
    kind, data = link["href"].split(",", 1)
    assert kind == "data:text/csv;charset=utf-8"
    assert unquote(data) == tables.csv(FRAME)
    assert link["download"] == "a-b.csv"
