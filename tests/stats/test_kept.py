"""What was kept of an amount, and what was added: ends that hold where few customers leave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.clusters import ClusterSums
from cxlab.stats.intervals import wilson
from cxlab.stats.kept import kept_share, net_share

# What each customer brought, and the share of it that comes now: all, less or more.
ledgers = st.lists(
    st.tuples(st.integers(1, 1000), st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.25])),
    min_size=2,
    max_size=40,
)


def sums(brought, amount):
    brought, amount = np.asarray(brought, dtype=float), np.asarray(amount, dtype=float)
    return ClusterSums(
        customers=len(brought), n=brought.sum(), n_n=brought @ brought, total=amount.sum(),
        n_total=brought @ amount, total_total=amount @ amount,
    )  # fmt: skip


def both(ledger):
    brought = np.array([a for a, _ in ledger], dtype=float)
    now = brought * np.array([share for _, share in ledger])
    kept = np.minimum(brought, now)
    return sums(brought, kept), sums(brought, now - kept)


def test_a_small_ledger_is_as_worked_out_by_hand():
    # Customers a, b, c, d and f of ORACLES.md, K2; e is new and in neither share.
    brought, now = np.array([100.0, 200, 300, 150, 250]), np.array([100.0, 250, 0, 90, 250])
    kept = np.minimum(brought, now)
    gross, more = sums(brought, kept), sums(brought, now - kept)
    assert kept_share(gross).estimate == pytest.approx(0.64, abs=1e-12)
    assert net_share(gross, more).estimate == pytest.approx(0.69, abs=1e-12)
    assert more.mean == pytest.approx(0.05, abs=1e-12)
    stayed = kept_share(sums(np.ones(5), now > 0))
    assert (stayed.estimate, stayed.n) == (0.8, 5)  # each customer counts as one: logo retention


def test_equal_amounts_that_go_or_stay_are_a_share_of_customers():
    brought, kept = [10.0] * 500, [0.0] * 50 + [10.0] * 450
    found, plain = kept_share(sums(brought, kept)), wilson(450, 500)
    # The variance has one degree of freedom less, and the quantile is Student's: 0.3 % wider.
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=2e-4)
    assert (found.estimate, found.n) == (0.9, 500)


def test_nothing_lost_is_no_proof_that_nothing_can_be():
    found = kept_share(sums([10.0] * 20, [10.0] * 20))
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(wilson(20, 20).low)
    few_large = kept_share(sums([1000.0] * 2 + [1.0] * 18, [1000.0] * 2 + [1.0] * 18))
    assert few_large.low < found.low  # two of twenty are nearly all of it


def test_one_small_loss_tells_little_of_what_large_customers_may_do():
    brought = [1000.0] * 2 + [1.0] * 18
    whole = kept_share(sums(brought, brought))
    for lost in (1e-3, 1.0):  # by one of those who hardly count
        found = kept_share(sums(brought, [*brought[:-1], brought[-1] - lost]))
        # Of all that is known of the spread a third is of one who lost, the rest of the sizes.
        assert whole.low < found.low < whole.low + 0.1
    assert whole.low + 0.4 < wilson(20, 20).low  # which twenty customers of one size would give


@given(ledgers)
def test_ends_hold_the_estimate_and_stay_in_range(ledger):
    kept, added = both(ledger)
    gross, net = kept_share(kept), net_share(kept, added)
    assert 0 <= gross.low <= gross.estimate <= gross.high <= 1
    assert net.low <= net.estimate <= net.high
    assert net.estimate == pytest.approx(gross.estimate + added.mean)


@given(ledgers)
def test_the_error_of_both_is_the_one_worked_out_customer_by_customer(ledger):
    kept, added = both(ledger)
    net = net_share(kept, added)
    rest = np.array([a * share - net.estimate * a for a, share in ledger])
    by_hand = (rest @ rest) / kept.n**2 * len(ledger) / (len(ledger) - 1)
    assert net.se**2 == pytest.approx(by_hand, abs=1e-9)  # sums of squares cancel


@given(ledgers, st.floats(0.01, 100))
def test_the_currency_does_not_matter(ledger, rate):
    plain = net_share(*both(ledger))
    found = net_share(*both([(a * rate, share) for a, share in ledger]))
    # The root of a variance that is nearly zero keeps half of the digits.
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-5)


def test_nothing_added_leaves_what_was_kept():
    kept, added = both([(10, 1.0)] * 9 + [(10, 0.0)])
    net, gross = net_share(kept, added), kept_share(kept)
    assert (net.low, net.high) == (gross.low, gross.high)


def test_one_customer_has_no_interval():
    with pytest.raises(DataError, match="at least 2 customers"):
        kept_share(sums([10.0], [10.0]))
