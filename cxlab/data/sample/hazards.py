"""When subscribers leave of their own will: a Weibull hazard, and what moves it day by day.

The hazard per month of a subscription that is t months old is
shape / scale * (t / scale) ** (shape - 1) * exp(sum of coefficient * covariate). The
covariates are as of the beginning of the local day: late deliveries, slowly solved
tickets and stock-outs of the last 90 days, a price rise of the plan in the last 60 days
(1 or 0), attachment, and whether the initiative that acts on the hazard has reached the
subscriber. Before the log starts nothing but attachment acts: what happened then was
never written down. The end is exact: a unit exponential, found on the cumulative hazard.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, MONTH, Moments, later, moment_of, seconds_between
from cxlab.data.sample.world import World

__all__ = ["RECENT_DAYS", "RISE_DAYS", "Subscribers", "own_end", "recent_events", "recent_rise"]

RECENT_DAYS = 90
RISE_DAYS = 60
_TURN_MONTHS = 6  # from this age on `company.hazard_turn` acts


@dataclass(frozen=True, kw_only=True, eq=False)
class Subscribers:
    """What the hazard asks of each subscription, a row each.

    Attributes
    ----------
    people : pandas.DataFrame
        Their rows of `people`.
    started_at : numpy.ndarray of datetime64[s]
    plan : numpy.ndarray of int
    shape, scale : numpy.ndarray of float
        Weibull, scale in months.
    """

    people: pd.DataFrame
    started_at: Moments
    plan: NDArray[np.integer]
    shape: NDArray[np.float64]
    scale: NDArray[np.float64]


def _days(world: World) -> Moments:
    """Return the beginnings of the local days of the log, up to the export."""
    many = int(seconds_between(world.start, EXPORTED) // DAY) + 1
    return later(np.full(many, world.start), np.arange(many) * DAY)


def recent_events(
    world: World, row: NDArray[np.integer], moment: Moments, size: int
) -> NDArray[np.int16]:
    """Count, at the beginning of each day (column), the events of each row in 90 days."""
    many = len(_days(world))
    day = np.floor(seconds_between(world.start, moment) / DAY)
    inside = (day >= 0) & (day < many)
    cell = row[inside] * many + day[inside].astype(np.int64)
    counts = np.bincount(cell, minlength=size * many).reshape(size, many)
    upto = np.zeros((size, many + 1), dtype=np.int16)
    np.cumsum(counts, axis=1, out=upto[:, 1:])
    recent = upto[:, :many].copy()
    recent[:, RECENT_DAYS:] -= upto[:, : many - RECENT_DAYS]
    return recent


def recent_rise(world: World, subscribers: Subscribers) -> NDArray[np.bool_]:
    """Tell, at the beginning of each day, whether a subscriber's price rose in 60 days."""
    days = _days(world)
    found = np.zeros((len(subscribers.plan), len(days)), dtype=bool)
    for code, plan in enumerate(world.company.commerce.plans):
        rows = np.flatnonzero(subscribers.plan == code)
        for rise in moment_of(np.array(plan.rises_on, dtype="datetime64[D]")):
            near = (days >= rise) & (days < rise + np.timedelta64(RISE_DAYS, "D"))
            found[np.ix_(rows[subscribers.started_at[rows] < rise], np.flatnonzero(near))] = True
    return found


def own_end(
    world: World,
    subscribers: Subscribers,
    events: dict[str, tuple[NDArray[np.integer], Moments]],
    threshold: NDArray[np.float64],
) -> Moments:
    """Find when each cumulative hazard reaches its threshold, a unit exponential.

    Parameters
    ----------
    events : dict of str to (row of the subscriber, moment)
        By cause: late_deliveries, slow_resolution, stock_outs.

    Returns
    -------
    numpy.ndarray of datetime64[s]
        Missing where the export comes first.
    """
    start, scale, shape = subscribers.started_at, subscribers.scale, subscribers.shape
    days = _days(world)
    edges = np.append(days, EXPORTED)
    age = np.maximum((edges - start[:, None]).astype(np.float64) / MONTH, 0)
    base = (age / scale[:, None]) ** shape[:, None]
    weight = np.exp(_log_hazard(world, subscribers, events, age[:, :-1]))
    attached = world.company.hazard["attachment"] * subscribers.people["attachment"].to_numpy()
    before = base[:, 0] * np.exp(attached)  # of the time before the log starts
    reached = before[:, None] + np.cumsum(weight * np.diff(base, axis=1), axis=1)
    place = (reached < threshold[:, None]).sum(axis=1)
    ends = (place < len(days)) & (threshold >= before)
    last = np.minimum(place, len(days) - 1)
    one = np.arange(len(start))
    upto = np.where(last > 0, reached[one, last - 1], before)
    rest = np.maximum(base[one, last] + (threshold - upto) / weight[one, last], 0)
    months = np.where(ends, scale * rest ** (1 / shape), 0)
    # Who reached the threshold before the log starts had nothing but attachment to reach it.
    early = threshold < before
    months = np.where(early, scale * (threshold / np.exp(attached)) ** (1 / shape), months)
    end = later(start, np.floor(months * MONTH))
    return np.where(ends | early, end, np.datetime64("NaT", "s"))


def _log_hazard(
    world: World,
    subscribers: Subscribers,
    events: dict[str, tuple[NDArray[np.integer], Moments]],
    age: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Add up coefficient times covariate, by subscription and day."""
    truth = world.company.hazard
    people = subscribers.people
    size = len(people)
    log = np.repeat((truth["attachment"] * people["attachment"].to_numpy())[:, None],
                    age.shape[1], axis=1)  # fmt: skip
    for cause, (row, moment) in events.items():
        if not truth[cause]:
            continue
        pull = truth[cause] * recent_events(world, row, moment, size)
        if cause == "late_deliveries" and world.company.hazard_turn != 1:
            pull *= np.where(age >= _TURN_MONTHS, world.company.hazard_turn, 1.0)
        log += pull
    log += truth["price_rise"] * recent_rise(world, subscribers)
    found = world.company.initiative("hazard")
    if found:
        place, initiative = found
        for quarter, start in enumerate(world.quarter_starts[:-1]):
            # It reaches everybody at the beginning of a quarter, if at all.
            on = world.treated(place, people, np.full(size, start))
            log[np.ix_(on, world.quarter(_days(world)) == quarter)] += initiative.effect
    return log
