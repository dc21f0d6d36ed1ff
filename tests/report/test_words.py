"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.report import words

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("x", "unit", "text"),
    [
        (0.7841, "share", "78.4%"),
        (1.0, "share", "100.0%"),
        (-0.0004, "share", "0.0%"),
        (-3.254, "points", "−3.25"),
        (-12.34, "nps", "−12.3"),
        (4.04, "days", "4.0 days"),
        (1234567.4, "count", "1,234,567"),
        (-0.2, "count", "0"),
        (1234.5, "BRL", "BRL 1,234"),
        (99.994, "BRL", "BRL 99.99"),
        (NAN, "share", "not known"),
        (INF, "count", "not known"),
    ],
)
def test_a_value_is_written_in_its_unit(x, unit, text):
    assert words.value(x, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (0.767, 0.8, "share", "76.7 to 80.0%"),
        (-2.0, 3.5, "days", "−2.0 to 3.5 days"),
        (10.0, 20.0, "EUR", "EUR 10.00 to 20.00"),
        (NAN, 0.8, "share", "not known"),
        (-INF, INF, "count", "not known"),
    ],
)
def test_an_interval_says_its_unit_once(low, high, unit, text):
    assert words.interval(low, high, unit) == text


@pytest.mark.parametrize(
    ("x", "unit", "text"),
    [(0.041, "share", "+4.1 points"), (-0.041, "share", "−4.1 points"),
     (0.0001, "share", "0.0 points"),
     (3, "count", "+3"), (-5.5, "EUR", "EUR −5.50"), (5.5, "EUR", "EUR +5.50")],
)  # fmt: skip
def test_a_difference_has_its_sign_unless_it_rounds_to_nothing(x, unit, text):
    assert words.signed(x, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "better", "word"),
    [(1, 2, "up", "Improved"), (1, 2, "down", "Worsened"), (-2, -1, "up", "Worsened"),
     (-2, -1, "down", "Improved"), (1, 2, "neither", "Higher"), (-2, -1, "neither", "Lower"),
     (-1, 1, "up", "No clear change"), (0, 1, "up", "No clear change"),
     (NAN, 1, "up", "No clear change"), (-INF, -1, "up", "No clear change")],
)  # fmt: skip
def test_a_change_is_judged_by_its_interval(low, high, better, word):
    assert words.verdict(low, high, better=better)[0] == word


@pytest.mark.parametrize(
    ("items", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)  # fmt: skip
def test_words_are_joined_as_prose_does(items, text):
    assert words.listing(items) == text


@given(st.floats(-1e12, 1e12), st.integers(0, 4))
def test_a_written_number_reads_back_within_its_rounding(x, digits):
    text = words.number(x, digits)
    back = float(text.replace(",", "").replace(words.MINUS, "-"))
    assert abs(back - x) <= 0.5 * 10**-digits + abs(x) * 1e-15  # half a unit of the last digit
    assert "-" not in text


@given(st.floats(allow_nan=True, allow_infinity=True),
       st.sampled_from(["share", "points", "nps", "days", "count", "EUR"]))  # fmt: skip
def test_every_number_can_be_written(x, unit):
    for text in (words.value(x, unit), words.interval(x, x, unit)):
        assert text
        assert "nan" not in text.lower()
        assert "inf" not in text.lower()


def test_counts_go_with_their_noun():
    assert words.plural(1, "customer") == "1 customer"
    assert words.plural(2357, "customer") == "2,357 customers"
    assert words.plural(2, "person", "people") == "2 people"
    kinds = ("city", "key", "branch", "status")
    assert [words.plural(2, k) for k in kinds] == ["2 cities", "2 keys", "2 branches", "2 statuses"]


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (9_999_999, "IDR 9,999,999"),
        (12_345_678, "IDR 12.3 million"),
        (345_678_901, "IDR 346 million"),
        (2_405_383_265, "IDR 2.41 billion"),
        (-34_500_000_000, "IDR −34.5 billion"),
        (5.5e12, "IDR 5.50 trillion"),
    ],
)
def test_large_amounts_are_written_with_three_digits_and_a_word(x, said):
    assert words.value(x, "IDR") == said


def test_the_ends_of_a_large_interval_stand_on_one_scale():
    assert words.interval(216e6, 2.65e9, "IDR") == "IDR 0.22 to 2.65 billion"
    assert words.interval(-1e3, 5e7, "IDR") == "IDR 0.0 to 50.0 million"


def test_a_large_change_stands_on_the_scale_of_its_interval():
    said = words.change(5e6, -2e6, 3.3e8, "IDR")
    assert said == "IDR +5 million (−2 to +330 million)"
