"""What the company writes to its customers, and what becomes of it.

Notes
-----
messages : `message`, `person`, `campaign` (or -1), `channel` {email, sms}, `sent_at`,
    `delivered_at`, `opened_at`, `clicked_at`, `bounced_at`, `unsubscribed_at`,
    `complained_at` (UTC; missing where it did not happen), `personalisation` {none,
    name_only, segment, individual}, `product` (or -1), `eligible`, `in_stock_at_send`,
    `already_owned`, `cost_amount` (rupiah).

A customer's touch "newsletter" in a journey is the click on a message, so each has one;
the other messages are not clicked, or clicks would be touches. Whoever unsubscribes
gets no more, and never before the last click.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.campaigns import CAMPAIGN_CHANNELS
from cxlab.data.sample.clock import DAY, EXPORTED, NOT_YET, later
from cxlab.data.sample.company import QUARTERS
from cxlab.data.sample.paths import NUMBERS
from cxlab.data.sample.people import coded, pick
from cxlab.data.sample.touchpoints import TOUCHPOINTS
from cxlab.data.sample.world import World, chance

__all__ = ["MESSAGE_CHANNELS", "PERSONALISATIONS", "simulate_messages"]

Moments = NDArray[np.datetime64]

MESSAGE_CHANNELS = ("email", "sms")
PERSONALISATIONS = ("none", "name_only", "segment", "individual")
_EACH_QUARTER = 0.8  # messages that a customer gets in a quarter and does not click
_SMS = 0.2
_BOUNCED, _OPENED, _LEFT, _COMPLAINED = 0.02, 0.25, 0.004, 0.0005
_COST = np.array([60, 450])  # rupiah, by channel
_PRODUCT, _ELIGIBLE, _IN_STOCK, _OWNED = 0.6, 0.93, 0.95, 0.2


def simulate_messages(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the messages of one part."""
    first = int(tables["people"]["person"].iloc[0])
    rng = chance(world.seed, "messages", first)
    clicked = _clicked(rng, world, tables["touches"])
    other = _not_clicked(rng, world, tables["people"])
    messages = pd.DataFrame(
        {name: np.concatenate([clicked[name], other[name]]) for name in clicked.columns}
    )
    messages = messages.sort_values(["person", "sent_at"], kind="stable", ignore_index=True)
    messages = _course(rng, messages)
    size = len(messages)
    channel = messages["channel"].to_numpy()
    quarter = world.quarter(messages["sent_at"].to_numpy())
    place = np.array([CAMPAIGN_CHANNELS.index(c) for c in MESSAGE_CHANNELS])
    by_campaign = rng.random(size) < 0.8
    edges = world.products["popularity"].to_numpy().cumsum()
    product = np.minimum(np.searchsorted(edges, rng.random(size)), len(edges) - 1)
    about = rng.random(size) < _PRODUCT
    campaign = quarter * len(CAMPAIGN_CHANNELS) + place[channel]
    messages["campaign"] = np.where(by_campaign, campaign, -1)
    messages["channel"] = coded(channel, MESSAGE_CHANNELS)
    messages["personalisation"] = pick(
        rng, PERSONALISATIONS, np.array([0.35, 0.35, 0.2, 0.1]), size
    )
    messages["product"] = np.where(about, product, -1)
    messages["eligible"] = rng.random(size) < _ELIGIBLE
    messages["in_stock_at_send"] = ~about | (rng.random(size) < _IN_STOCK)
    messages["already_owned"] = about & (rng.random(size) < _OWNED)
    messages["cost_amount"] = _COST[channel]
    messages.insert(0, "message", first * NUMBERS + np.arange(size))
    return {"messages": messages}


def _clicked(rng: np.random.Generator, world: World, touches: pd.DataFrame) -> pd.DataFrame:
    """Make the message behind each click of a customer; sent shortly before."""
    by_mail = touches["touchpoint"].cat.codes.to_numpy() == TOUCHPOINTS.index("newsletter")
    clicks = touches[by_mail & (touches["person"].to_numpy() >= 0)]
    at = clicks["at"].to_numpy()
    wait = np.minimum(60 + rng.exponential(0.3 * DAY, len(clicks)), 2 * DAY)
    return pd.DataFrame(
        {
            "person": clicks["person"].to_numpy(),
            "channel": (clicks["channel"] == "sms").to_numpy().astype(np.int8),
            "sent_at": np.maximum(later(at, -wait), world.start),
            "clicked_at": at,
        }
    )


def _not_clicked(rng: np.random.Generator, world: World, people: pd.DataFrame) -> pd.DataFrame:
    """Make the messages that nobody clicks."""
    many = rng.poisson(_EACH_QUARTER, (len(people), QUARTERS))
    row, quarter = np.divmod(np.repeat(np.arange(many.size), many.ravel()), QUARTERS)
    # Quarters begin at midnight in Jakarta; letters go out between 9 and 19.
    clock = rng.integers(9 * 3_600, 19 * 3_600, len(row))
    at = later(world.quarter_starts[quarter], rng.integers(0, 89, len(row)) * DAY + clock)
    known = people["first_seen_at"].to_numpy()[row] < at
    row, at = row[known], at[known]
    return pd.DataFrame(
        {
            "person": people["person"].to_numpy()[row],
            "channel": (rng.random(len(row)) < _SMS).astype(np.int8),
            "sent_at": at,
            "clicked_at": np.full(len(row), NOT_YET),
        }
    )


def _course(rng: np.random.Generator, messages: pd.DataFrame) -> pd.DataFrame:
    """Draw what became of each message, and stop writing to whoever unsubscribed."""
    size = len(messages)
    sent, clicked = messages["sent_at"].to_numpy(), messages["clicked_at"].to_numpy()
    hit = ~np.isnat(clicked)
    bounced = ~hit & (rng.random(size) < _BOUNCED)
    opened = hit | (~bounced & (rng.random(size) < _OPENED))
    last = messages.groupby("person", sort=False)["clicked_at"].transform("max").to_numpy()
    leaves = opened & ~hit & ~(sent <= last) & (rng.random(size) < _LEFT / _OPENED)
    complains = opened & ~hit & (rng.random(size) < _COMPLAINED / _OPENED)
    came = later(sent, rng.integers(1, 40, size))
    looked = later(came, 5 + rng.exponential(0.4 * DAY, size))
    looked = np.where(hit, came + (clicked - came) // 2, looked)
    moments: list[tuple[str, Moments, NDArray[np.bool_]]] = [
        ("delivered_at", came, ~bounced),
        ("opened_at", looked, opened),
        ("bounced_at", came, bounced),
        ("unsubscribed_at", later(looked, rng.integers(5, 120, size)), leaves),
        ("complained_at", later(looked, rng.integers(5, 120, size)), complains),
    ]
    course = {name: np.where(has & (at < EXPORTED), at, NOT_YET) for name, at, has in moments}
    messages = pd.concat([messages, pd.DataFrame(course)], axis=1)
    left = messages.groupby("person", sort=False)["unsubscribed_at"].transform("min")
    return messages[left.isna() | (messages["sent_at"] <= left)].reset_index(drop=True)
