"""What a survey of everybody would find: the truth that estimates from answers look for."""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cxlab.data.sample.baskets import simulate_baskets
from cxlab.data.sample.company import QUARTERS, REGION_SHARES
from cxlab.data.sample.deliveries import simulate_deliveries, simulate_returns
from cxlab.data.sample.moods import simulate_moods
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.purchases import simulate_orders
from cxlab.data.sample.service import simulate_service
from cxlab.data.sample.slow_service import simulate_slow_service
from cxlab.data.sample.subscriptions import simulate_subscribers
from cxlab.data.sample.world import World

__all__ = ["truth_of_answers", "truth_of_promoters"]

_NOBODY = 1_000_000_000  # persons from this number on are in no study
_PART = 5_000
_STEPS = (
    simulate_orders,
    simulate_baskets,
    simulate_deliveries,
    simulate_returns,
    simulate_subscribers,
    simulate_slow_service,
    simulate_service,
    simulate_moods,
)


def truth_of_answers(world: World, *, customers: int = 100_000) -> pd.DataFrame:
    """Work out the true value of each question of the surveys.

    Recommendation, personality, importance and emotion by exact formulas. Satisfaction
    and effort of the occasions of each quarter by simulating customers in the same world
    who are in no study: their occasions are drawn, the marks are exact expectations
    given the occasion, so the error is that of the mix of occasions alone.

    Parameters
    ----------
    world : World
        Regions in good and bad times as the study has them.
    customers : int
        How many are simulated; 100,000 take some five seconds.

    Returns
    -------
    pandas.DataFrame
        One row per `measure`, `about` (kind of occasion, trait, driver or touchpoint; empty)
        and `quarter` (0 to 11, or -1 where it never changes): `truth`.
    """
    sums = []
    for first in range(_NOBODY, _NOBODY + customers, _PART):
        count = min(_PART, _NOBODY + customers - first)
        tables = {"people": simulate_people(world, first, count)}
        for step in _STEPS:
            tables |= step(world, tables)
        sums.append(tables["true_scores"])
    scores = pd.concat(sums).groupby(["kind", "quarter"], observed=True, as_index=False).sum()
    promoters = truth_of_promoters(world)
    found = [
        ("csat top box", scores, scores["expected_top_box"] / scores["occasions"]),
        ("ces mean", scores, scores["expected_effort_sum"] / scores["occasions"]),
        *((name, promoters, promoters[name]) for name in ("promoters", "detractors", "score")),
    ]
    frames = [
        pd.DataFrame(
            {
                "measure": "nps" if measure == "score" else measure,
                "about": rows["kind"].astype(str) if "kind" in rows else "",
                "quarter": rows["quarter"],
                "truth": truth,
            }
        )
        for measure, rows, truth in found
    ]
    company = world.company
    for measure, means in (
        ("personality mean", company.perceived),
        ("importance mean", company.feelings.importance),
        ("emotion mean", {name: 3 * valence for name, valence in company.emotion.items()}),
    ):
        lasting = {"measure": measure, "about": list(means), "quarter": -1}
        frames.append(pd.DataFrame({**lasting, "truth": list(means.values())}))
    return pd.concat(frames, ignore_index=True)


def truth_of_promoters(world: World) -> pd.DataFrame:
    """Work out who would recommend the company in each quarter, among all customers.

    An exact formula: a mixture of normals over latent segments and regions.

    Returns
    -------
    pandas.DataFrame
        One row per quarter: `quarter`, `promoters` and `detractors` (shares), `score`
        (-100 to 100).
    """
    company, truth = world.company, world.company.feelings
    spread = np.sqrt(truth.person_mood**2 + truth.attachment_mood**2 + 1)
    of_segment = np.array([s.mood for s in company.segments])
    weights = company.shares[:, None] * REGION_SHARES
    rows = []
    for quarter in range(QUARTERS):
        mean = of_segment[:, None] + world.region_mood[:, quarter]
        low, high = truth.promoter_thresholds[6], truth.promoter_thresholds[8]
        promoters = float((weights * (1 - ndtr((high - mean) / spread))).sum())
        detractors = float((weights * ndtr((low - mean) / spread)).sum())
        rows.append((quarter, promoters, detractors, 100 * (promoters - detractors)))
    return pd.DataFrame(rows, columns=["quarter", "promoters", "detractors", "score"])
