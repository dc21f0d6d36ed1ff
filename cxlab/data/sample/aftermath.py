"""What happens around journeys: parcels, use, service, friction, and robots."""

import numpy as np
import pandas as pd

from cxlab.data.sample.activities import (
    OBJECTS,
    OUTCOMES,
    VISIT_CHANNELS,
    Block,
    activity,
    block,
    channel,
    place,
)
from cxlab.data.sample.clock import DAY, EXPORTED
from cxlab.data.sample.paths import ALL_CHANNELS
from cxlab.data.sample.world import World

__all__ = ["after_purchases", "bots", "friction", "service_visits"]

_TRACKED = 0.6  # views of the tracking page per delivery
_UNBOXED = 0.08
_BREWED = 0.3  # opened brewing guides per order
_RAGE, _DEAD, _FORM = 0.015, 0.02, 0.02  # of visits to the web shop
_BOTS = 0.01  # robots per customer
_PAGES = 200


def after_purchases(rng: np.random.Generator, tables: dict[str, pd.DataFrame]) -> list[Block]:
    """Follow each order: the parcel is tracked and received, the coffee used."""
    orders, deliveries = tables["orders"], tables["deliveries"]
    there = ~np.isnat(deliveries["delivered_at"].to_numpy())
    arrived = deliveries[there]
    sent_at = orders["placed_at"].to_numpy()[
        np.searchsorted(orders["order"].to_numpy(), arrived["order"].to_numpy())
    ]
    came_at = arrived["delivered_at"].to_numpy()
    looked = np.repeat(np.arange(len(arrived)), rng.poisson(_TRACKED, len(arrived)))
    part = rng.random(len(looked))
    wait = (came_at - sent_at)[looked].astype("timedelta64[s]").astype(float)
    tracked = sent_at[looked] + (part * wait).astype("timedelta64[s]")
    shared = np.flatnonzero(rng.random(len(arrived)) < _UNBOXED)
    shared_at = came_at[shared] + rng.integers(600, 2 * DAY, len(shared)).astype("timedelta64[s]")
    brewed = np.flatnonzero(rng.random(len(orders)) < _BREWED)
    placed = orders["placed_at"].to_numpy()
    brewed_at = placed[brewed] + rng.integers(DAY, 30 * DAY, len(brewed)).astype("timedelta64[s]")
    left = tables["messages"].dropna(subset="unsubscribed_at")
    words = [VISIT_CHANNELS.index(c) for c in left["channel"].cat.categories]
    by = np.array(words)[left["channel"].cat.codes.to_numpy()]
    parcels = {"touchpoint": place("delivery"), "object_type": OBJECTS.index("order")}
    person, order = arrived["person"].to_numpy(), arrived["order"].to_numpy()
    device = {"device_no": 0, "channel": channel("app")}
    blocks = [
        (tracked, {**parcels, **device, "person": person[looked], "object": order[looked],
                   "activity": activity("parcel tracked"), "duration_s": 12}),
        (came_at, {**parcels, "person": person, "object": order, "channel": channel("carrier"),
                   "activity": activity("parcel received"),
                   "outcome": OUTCOMES.index("success")}),
        (shared_at, {**parcels, "person": person[shared], "object": order[shared],
                     "device_no": 0, "channel": channel("social"),
                     "activity": activity("unboxing shared")}),
        (brewed_at, {**device, "person": orders["person"].to_numpy()[brewed],
                     "touchpoint": place("brewing guide"), "duration_s": 180,
                     "activity": activity("brewing guide opened")}),
        (left["unsubscribed_at"].to_numpy(), {
            "person": left["person"].to_numpy(), "device_no": 0, "channel": by,
            "touchpoint": place("newsletter"), "activity": activity("newsletter unsubscribed")}),
    ]  # fmt: skip
    return [_until_export(block(at, columns)) for at, columns in blocks]


def service_visits(tables: dict[str, pd.DataFrame]) -> list[Block]:
    """Write each contact with the service desk as an interaction."""
    contacts = tables["contacts"]
    codes = np.array([VISIT_CHANNELS.index(c) for c in contacts["channel"].cat.categories])
    abandoned = contacts["abandoned"].to_numpy()
    columns = {
        "person": contacts["person"].to_numpy(),
        "touchpoint": place("service desk"),
        "channel": codes[contacts["channel"].cat.codes.to_numpy()],
        "activity": activity("service contacted"),
        "object_type": OBJECTS.index("ticket"),
        "object": contacts["ticket"].to_numpy(),
        "outcome": np.where(abandoned, OUTCOMES.index("abandoned"), OUTCOMES.index("success")),
        "duration_s": contacts["handle_s"].to_numpy(),
    }
    return [block(contacts["started_at"].to_numpy(), columns)]


def friction(rng: np.random.Generator, touches: pd.DataFrame) -> list[Block]:
    """Let some visits to the web shop go wrong: rage clicks, dead clicks, forms left.

    A rage click is three to five clicks on one element within two seconds.
    """
    codes = touches["channel"].cat.codes.to_numpy()
    shop = np.flatnonzero(np.isin(codes, [ALL_CHANNELS.index("web"), ALL_CHANNELS.index("app")]))
    kind = np.searchsorted(np.cumsum([_RAGE, _DEAD, _FORM]), rng.random(len(shop)), side="right")
    blocks = []
    for number, name in enumerate(("clicked", "clicked", "form left")):
        hit = shop[kind == number]
        many = rng.integers(3, 6, len(hit)) if number == 0 else np.ones(len(hit), dtype=int)
        row = np.repeat(hit, many)
        place_in = np.arange(len(row)) - np.repeat(many.cumsum() - many, many)
        element = np.repeat(rng.integers(0, 60, len(hit)), many)
        hit_touches = touches.iloc[row]
        at = hit_touches["at"].to_numpy() + (2 + place_in // 3).astype("timedelta64[s]")
        fails = OUTCOMES.index("fail" if number < 2 else "abandoned")
        blocks.append(
            block(
                at,
                {
                    "person": hit_touches["person"].to_numpy(),
                    "visitor": hit_touches["visitor"].to_numpy(),
                    "session": hit_touches["touch"].to_numpy(),
                    "true_journey": hit_touches["journey"].to_numpy(),
                    "device_no": hit_touches["device_no"].to_numpy(),
                    "is_known": hit_touches["is_known"].to_numpy(),
                    "activity": activity(name),
                    "touchpoint": place("web shop"),
                    "channel": codes[row],
                    "object_type": OBJECTS.index("element"),
                    "object": element,
                    "outcome": fails,
                },
            )
        )
    return blocks


def bots(
    rng: np.random.Generator, world: World, customers: int, session: int, visitor: int
) -> Block:
    """Let robots read the web shop, a page a second."""
    count = int(rng.binomial(customers, _BOTS))
    many = rng.integers(20, 61, count)
    robot = np.repeat(np.arange(count), many)
    place_in = np.arange(len(robot)) - np.repeat(many.cumsum() - many, many)
    span = int((world.end - world.start).astype("timedelta64[s]").astype(int))
    begins = world.start + rng.integers(0, span, count).astype("timedelta64[s]")
    columns = {
        "visitor": visitor + robot,
        "session": session + robot,
        "device_no": 0,
        "is_known": False,
        "activity": activity("page viewed"),
        "touchpoint": place("web shop"),
        "channel": channel("web"),
        "object_type": OBJECTS.index("page"),
        "object": rng.integers(0, _PAGES, len(robot)),
        "duration_s": 1,
        "is_bot": True,
    }
    return block(begins[robot] + place_in.astype("timedelta64[s]"), columns)


def _until_export(rows: Block) -> Block:
    """Leave out what had not happened when the systems handed over their data."""
    seen = rows["occurred_at"] < EXPORTED
    return {name: values[seen] for name, values in rows.items()}
