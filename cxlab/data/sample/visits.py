"""What customers and visitors are seen doing: every touch as a few activities, and what follows.

Notes
-----
interactions : `interaction`, `occurred_at` (UTC), `person` (-1 for a visitor), `visitor`
    (number of a visitor that is nobody's customer, else -1), `session` (-1 for none; a
    touch of a journey is one session), `device_no` (0 to 2: which of the person's devices;
    -1 offline), `is_known` (whether the system knew who it was; else only the device is
    seen), `activity`, `touchpoint`, `channel`, `stage`, `object_type`, `object` (number of
    a product, order, ticket, page or element; -1), `outcome` (missing where it has none),
    `duration_s` (-1 where unknown), `value_amount` (rupiah, -1), `campaign` (-1), `is_bot`,
    `true_journey` (-1 where it is part of none).

The stages discover, consider and buy hold the touches of journeys; within them a touch
is a session, and its touchpoint that of its activities.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.activities import (
    AT_TOUCHPOINT,
    OBJECTS,
    OUTCOMES,
    Block,
    activity,
    as_frame,
    block,
    channel,
)
from cxlab.data.sample.aftermath import after_purchases, bots, friction, service_visits
from cxlab.data.sample.campaigns import campaign_of
from cxlab.data.sample.paths import NUMBERS
from cxlab.data.sample.touchpoints import TOUCHPOINTS
from cxlab.data.sample.world import World, chance

__all__ = ["devices", "simulate_interactions"]

_MOST = max(len(names) for names, _ in AT_TOUCHPOINT)
_DIGITAL = np.isin(
    TOUCHPOINTS, ("search", "social post", "newsletter", "web shop", "marketplace page")
)
# Chance that the system knows a customer, by touchpoint, where nothing is bought. Offline
# there is a card, a panel or a mailing list; about 40 % of digital sessions log in.
_KNOWN = np.array([1.0, 1.0, 0.1, 0.15, 0.9, 0.3, 0.4, 1.0, 1.0])
_SECONDS = np.array([30, 20, 25, 15, 30, 45, 40, 300, 900])  # mean length of one activity
# Where something is bought: activities before the cart at most, and from the cart on.
_LOOKS = np.array([1, 1, 2, 2, 2, 3, 2, 3, 2])
_TO_BUY = np.array([1, 1, 1, 1, 1, 3, 3, 1, 1])
_WITHOUT_RESULT = 0.12  # of searches in the shop


def simulate_interactions(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make all interactions of one part."""
    first = int(tables["people"]["person"].iloc[0])
    rng = chance(world.seed, "visits", first)
    touches = _sessions(rng, tables["touches"])
    blocks = [_touched(rng, world, touches, tables["orders"])]
    free = first * NUMBERS + len(touches)
    more = [
        *after_purchases(rng, tables),
        *service_visits(tables),
        *friction(rng, touches),
    ]
    # Sessions that are no touch of a journey are numbered after those that are.
    for rows in more:
        if (rows["session"] == -1).all() and len(rows["session"]):
            rows["session"] = free + np.arange(len(rows["session"]))
            free += len(rows["session"])
    visitor = first * NUMBERS + len(tables["journeys"])
    blocks += [*more, bots(rng, world, len(tables["people"]), free, visitor)]
    interactions = as_frame(blocks)
    interactions.insert(0, "interaction", first * NUMBERS + np.arange(len(interactions)))
    return {"interactions": interactions}


def devices(rng: np.random.Generator, size: int) -> NDArray[np.intp]:
    """Draw which of their devices people use: mostly the first."""
    return np.searchsorted(np.array([0.65, 0.92]), rng.random(size), side="right")


def _sessions(rng: np.random.Generator, touches: pd.DataFrame) -> pd.DataFrame:
    """Add by which device each touch was made, and whether the system knew by whom."""
    touchpoint = touches["touchpoint"].cat.codes.to_numpy()
    person = touches["person"].to_numpy()
    by_login = rng.random(len(touches)) < _KNOWN[touchpoint]
    device = np.where(person >= 0, devices(rng, len(touches)), 0)
    # The phone is the first device, and the app runs there alone.
    device[touches["channel"].cat.codes.to_numpy() == channel("app")] = 0
    return touches.assign(
        device_no=np.where(_DIGITAL[touchpoint], device, -1),
        is_known=(person >= 0) & ((touches["order"].to_numpy() >= 0) | by_login),
    )


def _touched(
    rng: np.random.Generator, world: World, touches: pd.DataFrame, orders: pd.DataFrame
) -> Block:
    """Write each touch as one to seven activities."""
    touchpoint = touches["touchpoint"].cat.codes.to_numpy().astype(np.intp)
    order = touches["order"].to_numpy()
    buys = order >= 0
    more = np.array([len(names) - 1 for names, _ in AT_TOUCHPOINT])
    follows = np.array([share for _, share in AT_TOUCHPOINT])
    many = 1 + rng.binomial(more[touchpoint], follows[touchpoint])
    # A purchase brings its own end, so that nothing is put into the cart twice.
    ending = np.where(buys, _TO_BUY[touchpoint], 0)
    many = np.where(buys, np.minimum(many, _LOOKS[touchpoint]), many) + ending
    touch = np.repeat(np.arange(len(touches)), many)
    place = np.arange(len(touch)) - np.repeat(many.cumsum() - many, many)
    is_last = place == many[touch] - 1
    does = _sequence()[touchpoint[touch], np.minimum(place, _MOST - 1)]
    placed = is_last & buys[touch]
    left = many[touch] - 1 - place
    for steps, name in enumerate(("order placed", "checkout begun", "cart filled")):
        does[(left == steps) & (steps < ending[touch])] = activity(name)
    row = np.searchsorted(orders["order"].to_numpy(), order[touch][placed])
    at = _spread(rng, touches, orders, touch, place, many)
    at[placed] = orders["placed_at"].to_numpy()[row]
    object_type = np.full(len(touch), -1, dtype=np.int8)
    thing = np.full(len(touch), -1, dtype=np.int64)
    on_product = np.isin(does, [activity("product viewed"), activity("cart filled")])
    object_type[on_product] = OBJECTS.index("product")
    edges = world.products["popularity"].to_numpy().cumsum()
    drawn = np.searchsorted(edges, rng.random(int(on_product.sum())) * edges[-1])
    thing[on_product] = np.minimum(drawn, len(edges) - 1)
    object_type[placed], thing[placed] = OBJECTS.index("order"), order[touch][placed]
    value = np.full(len(touch), -1, dtype=np.int64)
    value[placed] = orders["net_amount"].to_numpy()[row]
    length = rng.exponential(_SECONDS[touchpoint][touch])
    return block(
        at,
        {
            "person": touches["person"].to_numpy()[touch],
            "visitor": touches["visitor"].to_numpy()[touch],
            "session": touches["touch"].to_numpy()[touch],
            "true_journey": touches["journey"].to_numpy()[touch],
            "device_no": touches["device_no"].to_numpy()[touch],
            "is_known": touches["is_known"].to_numpy()[touch],
            "activity": does,
            "touchpoint": touchpoint[touch],
            "channel": touches["channel"].cat.codes.to_numpy()[touch],
            "object_type": object_type,
            "object": thing,
            "outcome": _outcomes(rng, does, is_last, placed),
            "duration_s": 1 + length.astype(np.int32),
            "value_amount": value,
            "campaign": campaign_of(rng, world, touches)[touch],
        },
    )


def _sequence() -> NDArray[np.int8]:
    """Return the activities at each touchpoint in their order, shape (9, most)."""
    codes = np.full((len(AT_TOUCHPOINT), _MOST), -1, dtype=np.int8)
    for row, (names, _) in enumerate(AT_TOUCHPOINT):
        codes[row, : len(names)] = [activity(name) for name in names]
    return codes


def _spread(
    rng: np.random.Generator,
    touches: pd.DataFrame,
    orders: pd.DataFrame,
    touch: NDArray[np.intp],
    place: NDArray[np.intp],
    many: NDArray[np.intp],
) -> NDArray[np.datetime64]:
    """Return when each activity of a touch begins; an order stands at the end of its touch."""
    begins = touches["at"].to_numpy()
    pace = 5 + rng.exponential(20, len(touches))
    order = touches["order"].to_numpy()
    row = np.minimum(np.searchsorted(orders["order"].to_numpy(), order), len(orders) - 1)
    whole = (orders["placed_at"].to_numpy()[row] - begins).astype("timedelta64[s]").astype(float)
    pace = np.where(order >= 0, whole / np.maximum(many - 1, 1), pace)
    return np.asarray(begins[touch] + (pace[touch] * place).astype("timedelta64[s]"))


def _outcomes(
    rng: np.random.Generator,
    does: NDArray[np.int8],
    is_last: NDArray[np.bool_],
    placed: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """Say how a search, a cart, a checkout or an order went; -1 for all else."""
    outcome = np.full(len(does), -1, dtype=np.int8)
    searched = np.flatnonzero(does == activity("searched"))
    outcome[searched] = rng.random(len(searched)) < _WITHOUT_RESULT  # 1: fail
    filled = np.isin(does, [activity("cart filled"), activity("checkout begun")])
    outcome[filled] = np.where(
        is_last[filled], OUTCOMES.index("abandoned"), OUTCOMES.index("success")
    )
    outcome[placed] = OUTCOMES.index("success")
    return outcome
