"""Estimates hold what is true of the company: the short run of benchmarks/sample_coverage.py."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cxlab.data.sample.company import company
from cxlab.data.sample.expectations import truth_of_answers
from cxlab.data.sample.world import World

_BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
sys.path.insert(0, str(_BENCHMARKS))
try:
    import sample_coverage
    import sample_estimates
    import sample_replicates
    import sample_truth
    from calibrate import limits
finally:
    sys.path.remove(str(_BENCHMARKS))

REPETITIONS = 120
TRUE_OF = 48_000  # customers; 60 times a replicate: its own error costs 0.1 % of coverage
WORLD = World(company(), sample_estimates.SEED)


@pytest.fixture(scope="module")
def truths():
    return sample_truth.truth(WORLD, TRUE_OF, first=sample_coverage.ELSEWHERE)


@pytest.fixture(scope="module")
def found():
    few = sample_estimates.few_estimates
    return sample_estimates.gather(WORLD, few, repetitions=REPETITIONS)


@pytest.fixture(scope="module")
def covered(found, truths):
    return sample_coverage.coverage(found, truths)


def test_each_estimate_covers_its_truth_within_the_limits_of_chance(covered):
    judged = sample_coverage.verdicts(covered)
    # The limits are those of 99.9 % of perfect intervals, at the number of repetitions.
    assert judged["holds"].all(), judged[~judged["holds"]].to_string()


def test_every_kind_of_estimate_was_looked_at(covered):
    names = set(sample_coverage.verdicts(covered)["estimate"])
    assert names >= {
        "csat.top_box_share", "csat.mean", "csat.change", "csat.mean_change", "ces.mean",
        "ces.change", "nps.score", "nps.change", "delivery.kept_share",
        "promise.kept_share|availability", "promise.kept_share|sla",
        "delivery.on_time_in_full_share", "orders.count", "orders.net_amount",
        "orders.mean_amount", "customers.rfm_share|declared cuts",
        "customers.migration_share|declared cuts", "customers.stayed_share|declared cuts",
    }  # fmt: skip


def test_a_truth_that_is_another_is_noticed(found, truths):
    # Sixteen percent more orders than there are: two standard errors, so half the intervals miss.
    wrong = truths | {"orders.count": 1.16 * truths["orders.count"]}
    judged = sample_coverage.verdicts(sample_coverage.coverage(found, wrong))
    assert judged.set_index("estimate")["coverage"]["orders.count"] < 0.75
    assert not judged.set_index("estimate")["holds"]["orders.count"]


def test_lifecycle_states_are_counted_without_error():
    block = next(sample_replicates.blocks(WORLD, 3))
    assert [sample_estimates.exact(tables) for tables in block] == [True] * 3


def test_answers_weighed_by_how_rarely_they_are_given_have_the_truth_of_all(truths):
    exact = truth_of_answers(WORLD, customers=16_000)
    exact = exact.set_index(["measure", "about", "quarter"])["truth"]
    # Three to four standard errors of some 5,000 answers a quarter to each survey, weights
    # of 1 to 4: scores of 80 points, shares of 0.48, marks of 1.8 points each.
    for quarter, when in ((11, ""), (10, " before")):
        assert truths[f"nps.score|all{when}"] == pytest.approx(exact["nps", "", quarter], abs=4.5)
        for survey, about in (("order", "order"), ("service", "ticket")):
            top, ease = (truths[f"{kind}|all|{survey}{when}"] for kind in ("csat", "ces"))
            assert top == pytest.approx(exact["csat top box", about, quarter], abs=0.04)
            assert ease == pytest.approx(exact["ces mean", about, quarter], abs=0.12)


def test_where_satisfaction_never_changes_few_changes_are_declared():
    found = sample_estimates.gather(
        sample_estimates.still(), sample_estimates.changes, repetitions=REPETITIONS, size=500
    )
    rates = sample_coverage.decided(found)
    assert set(rates.index) >= {"csat.change", "csat.mean_change", "ces.change", "nps.change"}
    _, most = limits(REPETITIONS, truth=0.05)
    assert (rates <= most).all(), rates


def test_a_still_world_differs_from_the_null_company_where_it_must():
    still = sample_estimates.still()
    assert {s.mood for s in still.company.segments} == {0.0}
    assert not still.region_mood.any()
    assert still.company.late_pain == 0
    assert np.any(World(company("null"), still.seed).region_mood)
