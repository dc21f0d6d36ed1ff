"""When journeys happen, and who makes those that lead to nothing; seconds since the log's start."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED
from cxlab.data.sample.world import World

__all__ = ["journey_ends", "makers", "touch_moments"]

Seconds = NDArray[np.int64]

_HOUR = 3_600
_APART = 30 * DAY
_LONGEST_PAUSE = 5 * DAY
_SAME_DAY = 0.4  # share of pauses
_TRIED = 0.5  # share of the journeys without a purchase for which a customer is looked for
_WIDE = 10**10  # more seconds than the log has: puts person and moment into one number


def journey_ends(
    rng: np.random.Generator, world: World, orders: pd.DataFrame, journeys: pd.DataFrame
) -> tuple[Seconds, Seconds]:
    """Draw when each journey ends, and how many seconds it may take at most.

    A journey to a purchase lies between the person's purchase before (or the start of
    the log) and this one; one to nothing ends anywhere in its quarter.
    """
    placed = _since_start(world, orders["placed_at"].to_numpy())
    person = orders["person"].to_numpy()
    in_time = np.lexsort((placed, person))
    before = np.zeros(len(orders), dtype=np.int64)
    same = np.diff(person[in_time]) == 0
    before[in_time[1:]] = np.where(same, placed[in_time[:-1]], 0)
    row = pd.Index(orders["order"]).get_indexer(journeys["order"])
    edges = np.append(world.quarter_starts[:-1], EXPORTED)
    edge = _since_start(world, edges)
    quarter = journeys["quarter"].to_numpy()
    length = edge[quarter + 1] - edge[quarter]
    anywhere = edge[quarter] + (rng.random(len(journeys)) * length).astype(np.int64)
    # The log begins at midnight in Jakarta; people are awake when they buy.
    hours = np.cumsum(world.company.commerce.hours)
    hour = np.searchsorted(hours, rng.random(len(journeys)) * hours[-1], side="right")
    awake = anywhere // DAY * DAY + hour * _HOUR + rng.integers(0, _HOUR, len(journeys))
    anywhere = np.where(awake < edge[-1], awake, anywhere)
    ends = np.where(row >= 0, placed[row], anywhere) if len(orders) else anywhere
    room = np.where(row >= 0, ends - before[row], ends) if len(orders) else ends
    return ends, room


def touch_moments(
    rng: np.random.Generator, journey: NDArray[np.intp], ends: Seconds, room: Seconds
) -> Seconds:
    """Draw when each touch begins; the last one a few minutes before the journey's end."""
    new = np.append(True, np.diff(journey) > 0)[: len(journey)]
    last = np.append(new[1:], True)[: len(journey)]
    # They go on after an hour or two, or on another day at about the same hour.
    soon = 1_200 + rng.exponential(1.5 * _HOUR, len(journey))
    days = np.minimum(rng.geometric(0.5, len(journey)), 4) * DAY
    other_day = days + rng.normal(0, 2 * _HOUR, len(journey)).clip(-8 * _HOUR, 8 * _HOUR)
    pause = np.where(rng.random(len(journey)) < _SAME_DAY, soon, other_day)
    pause = np.minimum(pause, _LONGEST_PAUSE)
    passed = np.where(new, 0.0, pause).cumsum()
    to_end = passed[last][journey] - passed
    session = np.minimum(rng.uniform(120, 600, len(ends)), 0.3 * room)
    squeeze = np.minimum(1, 0.6 * room / np.maximum(to_end[new], 1))
    return np.asarray(np.floor((ends - session)[journey] - squeeze[journey] * to_end), np.int64)


def makers(
    rng: np.random.Generator,
    world: World,
    people: pd.DataFrame,
    orders: pd.DataFrame,
    journeys: pd.DataFrame,
    begins: Seconds,
    ends: Seconds,
) -> NDArray[np.int64]:
    """Name who made each journey: the buyer, or a customer with nothing near, or -1.

    A customer is drawn for some of the journeys that lead to nothing, and takes it if
    known to the company by then, not within another journey, and idle for 30 days after.
    """
    maker = journeys["person"].to_numpy().copy()
    first, count = int(people["person"].iloc[0]), len(people)
    tried = np.flatnonzero((maker < 0) & (rng.random(len(maker)) < _TRIED))
    who = rng.integers(0, count, len(tried))
    seen = _since_start(world, people["first_seen_at"].to_numpy())
    begin, end = begins[tried], ends[tried]
    fits = seen[who] < begin
    # Nothing bought between the beginning and 30 days after the end, and no journey to a
    # purchase begun by then. Moments of buying come in order of person and time.
    key = np.sort(
        (orders["person"].to_numpy() - first) * _WIDE
        + _since_start(world, orders["placed_at"].to_numpy())
    )
    bought = np.flatnonzero(maker >= 0)
    begun = np.sort((maker[bought] - first) * _WIDE + begins[bought])
    until = np.minimum(end + _APART, _WIDE - 1)
    for moments in (key, begun):
        fits &= np.searchsorted(moments, who * _WIDE + begin) == np.searchsorted(
            moments, who * _WIDE + until
        )
    # Nor does it lie inside a journey to a purchase: the next purchase begins after it.
    row = np.searchsorted(
        np.sort((maker[bought] - first) * _WIDE + ends[bought]), who * _WIDE + end
    )
    fits &= row == np.searchsorted(begun, who * _WIDE + end)
    # Among themselves: none begins within 30 days of the end of any begun before.
    in_time = np.lexsort((begin, who))
    ended = np.maximum.accumulate((who * _WIDE + end)[in_time])
    crowded = (who * _WIDE + begin)[in_time][1:] < ended[:-1] + _APART
    fits[in_time[1:][crowded]] = False
    maker[tried[fits]] = first + who[fits]
    return np.asarray(maker, dtype=np.int64)


def _since_start(world: World, moment: NDArray[np.datetime64]) -> Seconds:
    """Return seconds since the log began."""
    return np.asarray((moment - world.start).astype("timedelta64[s]").astype(np.int64))
