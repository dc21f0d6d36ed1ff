"""Who they are: latent segment, where they live, what they allow, how they are known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.company import REGION_SHARES, REGIONS
from cxlab.data.sample.world import World, chance

__all__ = ["at_rows", "coded", "pick", "simulate_people"]

_YEAR = 365 * 86_400
_BEFORE = 0.4  # share of customers who came before the log starts
_CAME_BY = ("search", "social", "store", "marketplace", "event", "recommendation")
_CAME_SHARES = np.array([0.25, 0.18, 0.27, 0.16, 0.06, 0.08])


def coded(codes: NDArray[np.integer], labels: Sequence[str]) -> pd.Categorical:
    """Write the labels of some codes, -1 for none."""
    dtype = pd.CategoricalDtype(list(labels))
    return pd.Categorical.from_codes(codes, dtype=dtype)


def at_rows(values: NDArray[np.integer], row: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the value of each row, and -1 for row -1.

    >>> at_rows(np.array([5, 7]), np.array([1, -1])).tolist()
    [7, -1]
    """
    found = np.full(len(row), -1, dtype=np.int64)
    found[row >= 0] = values[row[row >= 0]]
    return found


def pick(
    rng: np.random.Generator, labels: Sequence[str], shares: NDArray[np.float64], size: int
) -> pd.Categorical:
    """Draw one label each, with the given shares."""
    edges = np.cumsum(shares) / np.sum(shares)
    codes = np.minimum(np.searchsorted(edges, rng.random(size), side="right"), len(labels) - 1)
    return coded(codes, labels)


def simulate_people(world: World, first: int, count: int) -> pd.DataFrame:
    """Make persons number `first` to `first + count`.

    Returns
    -------
    pandas.DataFrame
        One row per person: `person`, `segment` (latent), `region`, `party`,
        `first_seen_at` (UTC), `acquisition_channel`, `referred_by` (a person, or -1),
        `birth_year`, `language`, `attachment` and `mood` (latent, standard normal),
        `household`, and `arm_0` ... for the randomised initiatives: 1 treated, 0 not.
    """
    company = world.company
    rng = chance(world.seed, "people", first)
    names = tuple(s.name for s in company.segments)
    segment = pick(rng, names, company.shares, count)
    span = int((world.end - world.start).astype(int))
    since = np.where(
        rng.random(count) < _BEFORE,
        -rng.integers(1, 2 * _YEAR, count),
        rng.integers(0, span - 14 * 86_400, count),
    )
    came_by = pick(rng, _CAME_BY, _CAME_SHARES, count)
    person = np.arange(first, first + count)
    # Whoever was recommended was so by somebody of the same part who came earlier.
    order = np.argsort(since, kind="stable")
    rank = np.empty(count, dtype=np.intp)
    rank[order] = np.arange(count)
    referrer = person[order[(rng.random(count) * rank).astype(np.intp)]]
    recommended = (came_by.codes == _CAME_BY.index("recommendation")) & (rank > 0)
    together = rng.random(count) < 0.12  # shares a home, and its devices, with the next one
    people = pd.DataFrame(
        {
            "person": person,
            "segment": segment,
            "region": pick(rng, REGIONS, REGION_SHARES, count),
            "party": coded(
                (segment.codes == names.index("office")).astype(int), ("person", "organisation")
            ),
            "first_seen_at": world.start + since.astype("timedelta64[s]"),
            "acquisition_channel": came_by,
            "referred_by": np.where(recommended, referrer, -1),
            "birth_year": np.clip(np.rint(rng.normal(1992, 10, count)), 1945, 2008).astype(int),
            "language": pick(rng, ("id", "en"), np.array([0.85, 0.15]), count),
            "attachment": rng.standard_normal(count),
            "mood": rng.standard_normal(count),
            "household": first + np.cumsum(~np.roll(together, 1)) - 1,
        }
    )
    for place, initiative in enumerate(company.initiatives):
        if initiative.design == "randomised":
            arms = chance(world.seed, "arm", place, first).random(count) < 0.5
            people[f"arm_{place}"] = arms.astype(np.int8)
    return people
