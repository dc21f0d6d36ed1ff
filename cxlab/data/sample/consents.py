"""What each customer allows, and since when: willing ones differ from the others."""

import numpy as np
import pandas as pd

from cxlab.data.sample.company import PURPOSES, REGIONS
from cxlab.data.sample.people import coded
from cxlab.data.sample.world import World, chance

__all__ = ["consent_by_region", "simulate_consents"]

Tables = dict[str, pd.DataFrame]

_STATUS = ("granted", "denied", "withdrawn")
_DAY = 86_400


def consent_by_region(world: World) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Log odds of each region that anything is allowed, over those of the company."""
    return chance(world.seed, "consent").normal(0, world.company.consent["region"], len(REGIONS))


def simulate_consents(world: World, tables: Tables) -> Tables:
    """Let each person answer for each purpose, and let some change their mind.

    The log odds of a grant are those of the purpose, plus those of the person's region and
    segment, plus `consent["rate"]` for each standard deviation of the log purchase rate
    within the segment: who buys often allows more.

    Returns
    -------
    dict of pandas.DataFrame
        `consents`: `person`, `purpose`, `valid_from` (UTC), `status` {granted, denied,
        withdrawn}. Some people were never asked: they have no row.
    """
    people, company = tables["people"], world.company
    rng = chance(world.seed, "consents", int(people["person"].iloc[0]))
    count, effect = len(people), company.consent
    seen = people["first_seen_at"].to_numpy().astype("datetime64[s]")
    asked = rng.random(count) >= effect["never_asked"]
    log_rate = np.log(tables["true_people"]["true_rate"].to_numpy())
    spread = log_rate - pd.Series(log_rate).groupby(people["segment"].cat.codes).transform("mean")
    # Persons who are each the only one of their segment buy neither more nor less than usual.
    scale = spread.std() if spread.any() else 1.0
    willing = (
        consent_by_region(world)[people["region"].cat.codes.to_numpy()]
        + np.array([effect[s.name] for s in company.segments])[
            people["segment"].cat.codes.to_numpy()
        ]
        + effect["rate"] * spread.to_numpy() / scale
    )
    frames = []
    for place, purpose in enumerate(PURPOSES):
        grants = rng.random(count) < 1 / (1 + np.exp(-(effect[purpose] + willing)))
        withdraws = grants & (rng.random(count) < effect["withdrawn"])
        later = seen + (rng.integers(20, 900, count) * _DAY).astype("timedelta64[s]")
        first = pd.DataFrame(
            {"person": people["person"], "purpose": place, "valid_from": seen,
             "status": np.where(grants, 0, 1)}
        )[asked]  # fmt: skip
        changed = pd.DataFrame(
            {"person": people["person"], "purpose": place, "valid_from": later, "status": 2}
        )[asked & withdraws & (later < world.end)]
        frames += [first, changed]
    consents = pd.concat(frames, ignore_index=True)
    for column, labels in (("purpose", PURPOSES), ("status", _STATUS)):
        consents[column] = coded(consents[column].to_numpy(), labels)
    return {"consents": consents}
