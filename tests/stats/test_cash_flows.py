"""Present values, rates and payback: printed examples, identities, and what has no one answer."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cxlab.errors import DataError, ParameterError
from cxlab.stats.cash_flows import (
    dated_present_value,
    dated_rate,
    internal_rate,
    net_present_value,
    payback,
)

# The examples in the help of spreadsheets for NPV, IRR, XIRR and XNPV.
BUSINESS = [-70000, 12000, 15000, 18000, 21000, 26000]
DATED = [-10000, 2750, 4250, 3250, 2750]
DAYS = [date(2008, 1, 1), date(2008, 3, 1), date(2008, 10, 30), date(2009, 2, 15), date(2009, 4, 1)]
FOUR_YEARS = [-1000, 300, 400, 500, 200]


def test_the_present_value_of_spreadsheets_discounts_the_first_flow_too():
    flows = [-10000, 3000, 4200, 6800]
    found = net_present_value(flows, rate=0.1, first="after one period")
    assert found == pytest.approx(1188.4434, abs=5e-5)  # as printed
    at_once = net_present_value(flows, rate=0.1, first="at once")
    assert at_once == pytest.approx(1.1 * found)


@pytest.mark.parametrize(("years", "percent"), [(5, -2.1245), (6, 8.6631)])
def test_internal_rates_are_those_of_spreadsheets(years, percent):
    assert 100 * internal_rate(BUSINESS[:years]) == pytest.approx(percent, abs=5e-5)  # as printed


def test_dated_flows_are_those_of_spreadsheets():
    assert dated_rate(DATED, DAYS) == pytest.approx(0.3733625335, abs=1e-8)  # theirs is a search
    found = dated_present_value(DATED, DAYS, rate=0.09)
    assert found == pytest.approx(2086.6476, abs=5e-5)  # as printed


def test_payback_by_hand():
    assert payback(FOUR_YEARS) == pytest.approx(2.6)  # 300 of 500 are left to come in year 3
    found = net_present_value(FOUR_YEARS, rate=0.1, first="at once")
    assert found == pytest.approx(115.565876648, abs=5e-10)
    after_three = net_present_value(FOUR_YEARS[:4], rate=0.1, first="at once")
    assert after_three == pytest.approx(-21.0368, abs=5e-5)
    assert payback(FOUR_YEARS, rate=0.1) == pytest.approx(3 - after_three / (200 / 1.1**4))
    assert payback(FOUR_YEARS[:4], rate=0.1) is None


def test_an_outlay_comes_back_when_it_does_so_for_good():
    assert payback([-100, 120, -50, 60]) == pytest.approx(2.5)  # 30 of 60 are left
    assert payback([-100, 120, -50]) is None
    assert payback([0, -0.3, 0.1, 0.2]) == 3  # whose sum of floats is not quite 0
    assert payback([-1e-13, 1e6]) == pytest.approx(0)
    with pytest.raises(DataError, match=r"needs an outlay first, but .* is 5"):
        payback([0, 5, -5])


# An outlay and what comes back of it: each flow a share, 0 to 60 %, of the outlay.
projects = st.tuples(
    st.floats(1, 1e9), st.lists(st.floats(0, 0.6), min_size=1, max_size=30)
).map(lambda p: np.array([-p[0], *(p[0] * share for share in p[1])]))  # fmt: skip


def rate_of(flows):
    assume(flows[1:].sum() > -1e-3 * flows[0])  # less has a rate near -1, hard to write
    return internal_rate(flows)


@given(projects)
def test_at_its_own_rate_a_project_is_worth_nothing(flows):
    rate = rate_of(flows)
    for first in ("at once", "after one period"):
        found = net_present_value(flows, rate=rate, first=first)
        # A rate near -1 weighs late flows most: rounding is that of the largest.
        size = np.abs(flows * (1 + rate) ** -np.arange(1.0, len(flows) + 1)).max()
        assert abs(found) <= 1e-9 * max(size, -flows[0])


@given(projects, st.floats(1e-6, 1e6))
def test_the_currency_does_not_matter_and_a_loan_is_a_project_turned_over(flows, currency):
    rate = rate_of(flows)
    assert internal_rate(flows * currency) == pytest.approx(rate, rel=1e-9, abs=1e-12)
    assert internal_rate(-flows) == pytest.approx(rate, rel=1e-9, abs=1e-12)


@given(projects)
def test_a_rate_by_dates_is_that_by_periods_up_to_leap_days(flows):
    rate = rate_of(flows)
    equal = np.datetime64("2017-01-01") + 365 * np.arange(len(flows))
    assert dated_rate(flows, equal) == pytest.approx(rate, rel=1e-9, abs=1e-12)
    years = [date(2017 + i, 1, 1) for i in range(len(flows))]
    # 1 January comes after 365.25 days on average, and after 366 at most.
    low, high = sorted([rate, (1 + rate) ** (365 / 366) - 1])
    assert low - 1e-9 <= dated_rate(flows, years) <= high + 1e-9


@given(projects, st.floats(-0.5, 2))
def test_a_project_pays_back_within_its_time_if_and_only_if_it_is_worth_something(flows, rate):
    worth = net_present_value(flows, rate=rate, first="at once")
    discounted = flows * (1 + rate) ** -np.arange(len(flows))
    assume(abs(worth) > 1e-9 * np.abs(discounted).sum())  # neither, up to rounding
    found = payback(flows, rate=rate)
    if worth < 0:
        assert found is None
        return
    assert 0 < found <= len(flows) - 1
    sums = np.interp(found, np.arange(len(flows)), np.cumsum(discounted))
    assert sums == pytest.approx(0, abs=1e-9 * np.abs(discounted).sum())


def test_flows_of_one_day_are_one_flow_and_dates_may_be_written_in_any_way():
    apart = dated_rate([-60, -40, 130, -20], ["2017-01-01", "2017-01-01", *["2018-01-01"] * 2])
    assert apart == pytest.approx(0.1)
    stamps = [pd.Timestamp("2017-01-01 09:00"), pd.Timestamp("2018-01-01 17:00")]
    for dates in (stamps, pd.Series(stamps), pd.DatetimeIndex(stamps)):
        assert dated_rate([-100, 110], dates) == pytest.approx(0.1)


def test_a_return_within_days_is_a_rate_of_a_year_all_the_same():
    assert dated_rate([-100, 110], ["2018-01-01", "2018-01-02"]) == pytest.approx(1.1**365 - 1)
    assert dated_rate([-100, 90], ["2018-01-01", "2018-01-02"]) == pytest.approx(0.9**365 - 1)


def test_where_several_rates_fit_none_is_given_and_all_are_named():
    # 100 (1 + r)^2 - 230 (1 + r) + 132 = 0 at 10 % and at 20 %.
    with pytest.raises(DataError, match=r"change sign 2 times.*found 10.0000% and 20.0000%"):
        internal_rate([-100, 230, -132])
    with pytest.raises(DataError, match="found none"):
        internal_rate([100, -10, 100])
    with pytest.raises(DataError, match="change sign 2 times"):
        internal_rate([-100, 200, -100])  # only at 0, which it touches


def test_a_rate_that_may_have_a_second_is_not_given_because_one_was_found():
    # 1 + r = 2 is the only root, but what is tied up is -1, 3, -4, 0: neither in nor out.
    with pytest.raises(DataError, match=r"change sign 3 times.*found 100.0000%"):
        internal_rate([-1, 5, -10, 8])


def test_more_than_one_change_of_sign_is_no_hindrance_where_money_stays_tied_up():
    assert internal_rate([-100, 110, -100, 110]) == pytest.approx(0.1)
    rate = internal_rate([-100, 60, -10, 80])
    assert -100 + 60 / (1 + rate) - 10 / (1 + rate) ** 2 + 80 / (1 + rate) ** 3 == pytest.approx(
        0, abs=1e-9
    )


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=8))
def test_no_rate_is_given_that_has_a_second_beside_it(flows):
    """Against all roots of the polynomial in 1 / (1 + r), by its companion matrix."""
    try:
        rate = internal_rate(flows)
    except DataError:
        return
    roots = np.roots(flows)  # of 1 + r
    real = roots[(np.abs(roots.imag) < 1e-4) & (roots.real > 1e-9)].real
    # Rounding splits a root of several into pairs near it.
    assert real == pytest.approx(np.full(len(real), 1 + rate), rel=1e-3)


@pytest.mark.parametrize("value", [internal_rate, payback])
@pytest.mark.parametrize(
    ("flows", "match"),
    [
        ([], "a flow that is not 0, but there is none"),
        ([0, 0], "a flow that is not 0, but there is none"),
        ([-1, np.nan], "finite numbers, but flow 1 is nan"),
        ([-np.inf, 1], "finite numbers, but flow 0 is -inf"),
        ([[-1, 1]], "one row of amounts"),
    ],
)
def test_what_are_no_flows_is_refused(value, flows, match):
    with pytest.raises(DataError, match=match):
        value(flows)


@pytest.mark.parametrize("flows", [[1, 2], [-1, -2], [-5]])
def test_flows_of_one_sign_have_no_rate(flows):
    with pytest.raises(DataError, match="never change sign"):
        internal_rate(flows)


def test_a_rate_beyond_numbers_is_refused():
    with pytest.raises(DataError, match="more than 300 digits"):
        dated_rate([-1, 10], ["2018-01-01", "2018-01-02"])


@pytest.mark.parametrize(
    ("dates", "match"),
    [
        (["2018-01-02", "2018-01-01"], "flow 1 is on 2018-01-01, before .* on 2018-01-02"),
        (["2018-01-02", "NaT"], "one day per flow"),
        (["2018-01-02"], "one day per flow"),
        (["2018-01-02", "soon"], "dates must be days such as"),
    ],
)
def test_days_out_of_order_or_missing_are_refused(dates, match):
    for asked in (dated_rate, lambda f, d: dated_present_value(f, d, rate=0.1)):
        with pytest.raises(DataError, match=match):
            asked([-100, 110], dates)


def test_a_rate_of_minus_one_and_an_unknown_first_flow_are_refused():
    for rate in (-1, np.nan):
        with pytest.raises(ParameterError, match="above -1"):
            net_present_value([-1, 2], rate=rate, first="at once")
    with pytest.raises(ParameterError, match=r"'at once', 'after one period'.*but is 'now'"):
        net_present_value([-1, 2], rate=0.1, first="now")


def test_inputs_are_left_as_they_are():
    flows = np.array(FOUR_YEARS, dtype=float)
    internal_rate(flows), payback(flows, rate=0.1)
    assert flows.tolist() == FOUR_YEARS
