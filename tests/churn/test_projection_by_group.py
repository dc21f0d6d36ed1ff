"""Projections with the group as covariate: against fits apart, and laws that are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from cxlab.churn import projection_by_group, retention_projection
from cxlab.data.engine import Engine
from cxlab.errors import ParameterError, Withheld
from cxlab.stats.customer_base import fit_renewals
from tests.churn.test_projection import CYCLE, company


def two_plans(rng: np.random.Generator, people: int, a: float, b: float, b_large: float):
    """Half of the subscriptions have another law."""
    small, large = company(rng, people, a, b), company(rng, people, a, b_large)
    return pd.concat(
        [small.assign(plan="small"),
         large.assign(plan="large", customer_id="d" + large["customer_id"].str[1:],
                      subscription_id=large["subscription_id"] + people)], ignore_index=True
    )  # fmt: skip


def shares(found) -> pd.DataFrame:
    return found.estimates[found.estimates["metric"] == "projection.group_share"]


def p_value(found) -> float:
    (row,) = found.estimates[found.estimates["metric"] == "projection.p_group"].to_dict("records")
    return row["estimate"]


def test_groups_that_differ_are_told_apart_and_the_law_of_each_is_found(engine: Engine):
    held = two_plans(np.random.default_rng(1), 4000, 1.0, 8.0, 16.0)
    found = projection_by_group(engine.table(held), cycle=CYCLE, by="plan", years=4)
    assert p_value(found) < 1e-6
    last = shares(found).query("after_days == 1456").set_index("plan")
    t = np.arange(1, 53)
    for plan, b in (("small", 8.0), ("large", 16.0)):
        truth = np.prod((b + t - 1) / (1.0 + b + t - 1))
        assert last["conf_low"][plan] < truth < last["conf_high"][plan]
        assert last["conf_high"][plan] - last["conf_low"][plan] < 0.15
    assert "renew differently, by more than chance would have it: after 4 years" in found.sentence()


def test_each_group_is_foretold_as_if_alone():
    """A level for each group shares nothing but the weights of the models."""
    held = two_plans(np.random.default_rng(2), 3000, 1.0, 8.0, 16.0)
    found = projection_by_group(held, cycle=CYCLE, by="plan", years=3)
    (methods,) = shares(found)["method"].unique()
    for plan in ("small", "large"):
        alone = retention_projection(held[held["plan"] == plan], cycle=CYCLE, years=3)
        theirs = alone.estimates.query("metric == 'projection.retained_share'")
        theirs = theirs[theirs["measure"] == "expected"].set_index("after_days")
        ours = shares(found).query(f"plan == '{plan}'").set_index("after_days")
        # Those weights differ a little.
        assert ours["estimate"].to_numpy() == pytest.approx(theirs["estimate"], abs=0.01)
        assert (ours["n"] == theirs["n"]).all()
    assert "sBG" in methods


def test_chance_alone_is_seldom_taken_for_a_difference():
    told = []
    for seed in range(60):
        held = company(np.random.default_rng(seed), 800, 1.0, 8.0)
        told.append(p_value(projection_by_group(held, cycle=CYCLE, by="plan", years=3)) < 0.05)
    assert sum(told) <= 9  # 3 are to be expected; more than 9 have a chance of 0.1 %


def test_one_law_for_all_is_said_where_nothing_more_is_seen():
    held = company(np.random.default_rng(4), 2000, 1.0, 8.0)
    found = projection_by_group(held, cycle=CYCLE, by="plan")
    assert p_value(found) > 0.05
    assert "chance alone could make" in found.sentence()


def test_customers_who_have_several_count_for_less():
    """Each subscription twice says no more than once: same test, same bands."""
    held = two_plans(np.random.default_rng(5), 400, 1.0, 8.0, 11.0)
    twice = pd.concat([held, held.assign(subscription_id=held["subscription_id"] + 10_000)])
    one, two = (projection_by_group(h, cycle=CYCLE, by="plan", years=3) for h in (held, twice))
    # The design effect is that of a share, estimated, so a little below 2.
    assert p_value(two) == pytest.approx(p_value(one), rel=0.1)
    ends = ["conf_low", "conf_high"]
    assert shares(two)[ends].to_numpy() == pytest.approx(shares(one)[ends].to_numpy(), abs=2e-3)


def test_a_group_of_which_too_few_ended_is_named_and_left_out():
    held = company(np.random.default_rng(6), 1500, 1.0, 9.0)
    rare = held.assign(plan=held["plan"].where(held.index >= 5, "rare"))
    found = projection_by_group(rare, cycle=CYCLE, by="plan", years=3)
    assert "Left out: rare (too few have ended)." in found.note
    assert set(shares(found)["plan"]) == {"small", "large"}


def test_too_little_is_refused():
    held = company(np.random.default_rng(7), 300, 1.0, 9.0)
    with pytest.raises(Withheld, match="needs two groups"):
        projection_by_group(held.assign(plan="one"), cycle=CYCLE, by="plan")
    with pytest.raises(ParameterError, match="1 or more"):
        projection_by_group(held, cycle=CYCLE, by="plan", years=0)


def test_the_test_is_that_of_fits_apart_against_one_for_all():
    held = two_plans(np.random.default_rng(8), 3000, 1.0, 8.0, 9.0)
    found = projection_by_group(held, cycle=CYCLE, by="plan", years=3)
    (row,) = found.estimates.query("metric == 'projection.p_group'").to_dict("records")
    model = row["method"].split(", ")[1]
    counts = {plan: _counted(held[held["plan"] == plan]) for plan in ("small", "large")}
    apart = sum(fit_renewals(*c, model=model).log_likelihood for c in counts.values())
    longest = max(len(c[0]) for c in counts.values())
    both = [
        sum(np.pad(c[side], (0, longest - len(c[side]))) for c in counts.values())
        for side in (0, 1)
    ]
    statistic = 2 * (apart - fit_renewals(*both, model=model).log_likelihood)
    df = {"sBG": 2, "BdW": 3, "geometric": 1}[model]
    assert row["estimate"] == pytest.approx(chi2.sf(statistic, df), rel=1e-6)


def _counted(held: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Count, renewal by renewal, who was watched for a whole period, and who left in it."""
    end, period = pd.Timestamp(CYCLE.cutoff), pd.Timedelta(weeks=4)
    faced, lost = [], []
    for k in range(1, 60):
        begins, ends = held["started_at"] + (k - 1) * period, held["started_at"] + k * period
        gone = held["ended_at"].where(held["ended_at"] < end)
        here = (ends <= end) & ~(gone < begins)
        faced.append(here.sum())
        lost.append((here & (gone < ends)).sum())
    many = np.array(faced) > 0
    return np.array(faced, float)[many], np.array(lost, float)[many]
