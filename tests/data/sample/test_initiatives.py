"""What before and after would make of the initiatives, and what is true of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlab.data.sample.company import QUARTERS, REGIONS, company
from cxlab.data.sample.deliveries import late_probability
from cxlab.data.sample.people import coded
from cxlab.data.sample.world import NEVER, World

# A world has few regions and quarters: what is systematic shows in the mean over worlds.
SEEDS = range(60)


def log_odds_late(world):
    """Log odds of a late delivery, regions by quarters, with all that acts on them."""
    region, quarter = np.divmod(np.arange(len(REGIONS) * QUARTERS), QUARTERS)
    people = pd.DataFrame({"region": coded(region, REGIONS)})
    share = late_probability(world, people, world.quarter_starts[quarter])
    return np.log(share / (1 - share)).reshape(len(REGIONS), QUARTERS)


def place_of(name, world):
    return [i.name for i in world.company.initiatives].index(name)


def before_and_after(name, world, values):
    """Compare the regions reached first in their first quarter with the quarter before."""
    start = world.company.initiatives[place_of(name, world)].starts_quarter
    first = world.rollout[place_of(name, world)] == start
    return float((values[first, start] - values[first, start - 1]).mean())


def test_the_second_carrier_makes_exactly_the_planted_difference_where_it_is():
    world = World(company("base"), 2026)
    idle = tuple(replace(i, effect=0.0) for i in world.company.initiatives)
    without = World(replace(world.company, initiatives=idle), 2026)
    row = place_of("second carrier", world)
    reached = np.arange(QUARTERS) >= world.rollout[row][:, None]
    made = log_odds_late(world) - log_odds_late(without)
    assert made == pytest.approx(np.where(reached, -0.6, 0.0), abs=1e-9)
    assert (world.rollout[row] < NEVER).sum() == 20


@pytest.mark.parametrize(("variant", "truth", "naive"), [("base", -0.6, -1.1), ("null", 0, -0.5)])
def test_before_and_after_credits_the_second_carrier_with_what_would_have_come_anyway(
    variant, truth, naive
):
    worlds = [World(company(variant), seed) for seed in SEEDS]
    found = np.array([before_and_after("second carrier", w, log_odds_late(w)) for w in worlds])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert found.mean() == pytest.approx(naive, abs=4 * error + 0.05)  # as rounded above
    assert found.mean() < truth - 8 * error


@pytest.mark.parametrize("name", ["barista training", "tasting tour"])
def test_before_and_after_finds_an_effect_of_what_truly_has_none(name):
    worlds = [World(company("base"), seed) for seed in SEEDS]
    assert worlds[0].company.initiatives[place_of(name, worlds[0])].effect == 0
    found = np.array([before_and_after(name, w, w.region_mood) for w in worlds])
    assert found.mean() > 8 * found.std(ddof=1) / np.sqrt(len(found))


def test_most_initiatives_do_nothing_some_help_and_one_harms():
    effects = {i.name: (i.acts_on, i.effect) for i in company("base").initiatives}
    assert len(effects) == 12
    acting = {name: effect for name, effect in effects.items() if effect[1]}
    assert acting == {
        "second carrier": ("late", -0.6),  # fewer late
        "refill reminder": ("hazard", -0.35),  # fewer leave
        "delay notice": ("late_pain", 0.5),  # less pain
        "chatbot first": ("service_mood", -0.5),  # the harm
    }
    assert not any(i.effect or i.acts_on for i in company("null").initiatives)
