"""The service desk: what customers complain and ask about, and how well they are served.

Notes
-----
tickets : `ticket`, `person`, `opened_at`, `channel` {phone, chat, email, store}, `topic`,
    `is_complaint`, `first_reply_at`, `solved_at` (missing where not yet), `reopened`,
    `transfers`, `team`, `order` (or -1), `compensation_amount` (rupiah), `true_slow`.
contacts : `contact`, `ticket`, `person`, `started_at`, `channel`, `team`, `wait_s`,
    `handle_s`, `recognised`, `history_available`, `had_to_repeat`, `abandoned`,
    `cost_amount` (rupiah).
sla_promises : `promise`, `person`, `ticket`, `promised_at`, `promised_by` (first reply
    within four working hours), `actual_at`, `kept` (1, 0, or -1 where not known yet).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.clock import DAY, EXPORTED, NOT_YET, as_seen, day_of, later, moment_of
from cxlab.data.sample.people import coded, pick
from cxlab.data.sample.world import World, chance

__all__ = ["SERVICE_CHANNELS", "TEAMS", "TOPICS", "simulate_service", "working_hours_later"]

SERVICE_CHANNELS = ("phone", "chat", "email", "store")
TOPICS = ("delivery", "stock", "billing", "product", "quality", "subscription")
TEAMS = ("front desk", "parcels", "billing desk", "coffee experts")
_TEAM_OF = np.array([1, 1, 2, 3, 3, 2])  # by topic
_TICKETS_EACH = 1_000
_HOUR = 3_600
_OPENS, _CLOSES = 8 * _HOUR, 20 * _HOUR  # local
_LATE, _STOCK, _BILLING, _PRODUCT, _QUALITY = 0.22, 0.35, 0.015, 0.03, 0.015
_COST = np.array([18_000, 9_000, 7_000, 12_000])  # rupiah per contact, by channel


def simulate_service(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make `tickets`, `contacts` and `sla_promises` of one part."""
    first = int(tables["people"]["person"].iloc[0])
    rng = chance(world.seed, "service", first)
    tickets = _reasons(rng, tables)
    tickets = tickets[(tickets["opened_at"] >= world.start) & (tickets["opened_at"] < EXPORTED)]
    tickets = tickets.sort_values(["person", "opened_at"], kind="stable").reset_index(drop=True)
    tickets.insert(0, "ticket", first * _TICKETS_EACH + np.arange(len(tickets)))
    tickets = pd.concat([tickets.drop(columns="true_solved_at"), _course(rng, tickets)], axis=1)
    return {
        "tickets": tickets,
        "contacts": _contacts(rng, tickets, first),
        "sla_promises": _promises(tickets),
    }


def _reasons(rng: np.random.Generator, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List why tickets are opened: by delays, stock, bills, questions, and slow episodes."""
    orders, deliveries = tables["orders"], tables["deliveries"]
    late = deliveries[deliveries["is_late"] & (rng.random(len(deliveries)) < _LATE)]
    due = late["true_late_at"].to_numpy()
    short = tables["stock_events"].drop_duplicates("order")
    short = short[rng.random(len(short)) < _STOCK]
    slow = tables["true_service"]
    found = [
        (late, later(due, rng.exponential(0.7 * DAY, len(late))), "delivery", False),
        (short, later(short["occurred_at"].to_numpy(), rng.exponential(DAY, len(short))),
         "stock", False),
        (slow, slow["opened_at"].to_numpy(), "", True),
    ]  # fmt: skip
    for topic, share in (("billing", _BILLING), ("product", _PRODUCT), ("quality", _QUALITY)):
        hit = orders[rng.random(len(orders)) < share]
        wait = rng.exponential(6 * DAY, len(hit))
        found.append((hit, later(hit["placed_at"].to_numpy(), wait), topic, False))
    columns: dict[str, list[NDArray[np.generic]]] = {}
    for rows, at, topic, is_slow in found:
        size = len(rows)
        drawn = rng.integers(0, len(TOPICS), size)
        solved = rows["solved_at"].to_numpy() if is_slow else np.full(size, NOT_YET)
        for name, values in (
            ("person", rows["person"].to_numpy()),
            ("opened_at", at.astype("datetime64[s]")),
            ("topic", np.full(size, TOPICS.index(topic)) if topic else drawn),
            ("order", rows["order"].to_numpy()),
            ("true_slow", np.full(size, is_slow)),
            ("true_solved_at", solved),
        ):
            columns.setdefault(name, []).append(values)
    reasons = pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})
    return reasons.assign(topic=coded(reasons["topic"].to_numpy(), TOPICS))


def _course(rng: np.random.Generator, tickets: pd.DataFrame) -> pd.DataFrame:
    """Draw channel, team, replies, solution and compensation of each ticket."""
    size = len(tickets)
    topic = tickets["topic"].cat.codes.to_numpy()
    slow = tickets["true_slow"].to_numpy()
    opened = tickets["opened_at"].to_numpy()
    channel = pick(rng, SERVICE_CHANNELS, np.array([0.35, 0.35, 0.22, 0.08]), size)
    hours = np.where(slow, rng.gamma(3, 4, size), rng.gamma(1.2, 1.4, size))
    reply = working_hours_later(opened, hours)
    solved = tickets["true_solved_at"].to_numpy()
    # A slow ticket is solved when the hazards of subscriptions were told so.
    reply = np.where(slow, np.minimum(reply, solved - np.timedelta64(_HOUR, "s")), reply)
    solved = np.where(slow, solved, later(reply, rng.gamma(1.5, 0.6, size) * DAY))
    moved = rng.poisson(np.where(slow, 1.5, 0.25))
    team = np.where(moved == 0, 0, _TEAM_OF[topic])
    complaint = np.isin(topic, [TOPICS.index(t) for t in ("delivery", "stock", "quality")])
    complaint = complaint & (rng.random(size) < 0.8) | (rng.random(size) < 0.1)
    paid = complaint & (rng.random(size) < 0.3)
    course = {
        "channel": channel,
        "is_complaint": complaint,
        "first_reply_at": as_seen(reply),
        "solved_at": as_seen(solved),
        "reopened": rng.random(size) < np.where(slow, 0.2, 0.06),
        "transfers": moved,
        "team": coded(team, TEAMS),
        "compensation_amount": np.where(paid, rng.integers(2, 11, size) * 10_000, 0),
    }
    return pd.DataFrame(course)


def working_hours_later(
    opened: NDArray[np.datetime64], hours: NDArray[np.float64]
) -> NDArray[np.datetime64]:
    """Return the moment some working hours later; the desk works from 8 to 20 local time."""
    midnight = moment_of(day_of(opened))
    clock = (opened - midnight).astype("timedelta64[s]").astype(np.int64)
    worked = np.clip(clock, _OPENS, _CLOSES) - _OPENS + np.rint(hours * _HOUR).astype(np.int64)
    days, rest = np.divmod(worked, _CLOSES - _OPENS)
    return later(midnight, days * DAY + _OPENS + rest)


def _contacts(rng: np.random.Generator, tickets: pd.DataFrame, first: int) -> pd.DataFrame:
    """Write one to four contacts per ticket, the first where the ticket was opened."""
    size = len(tickets)
    slow = tickets["true_slow"].to_numpy()
    many = 1 + np.minimum(rng.poisson(np.where(slow, 1.6, 0.4)), 3)
    ticket = np.repeat(np.arange(size), many)
    place = np.arange(len(ticket)) - np.repeat(many.cumsum() - many, many)
    wait_days = rng.exponential(np.where(slow[ticket], 2.0, 0.6))
    at = later(tickets["opened_at"].to_numpy()[ticket], place * wait_days * DAY)
    count = len(ticket)
    own = tickets["channel"].cat.codes.to_numpy()[ticket]
    other = pick(rng, SERVICE_CHANNELS, np.array([0.45, 0.3, 0.2, 0.05]), count).codes
    channel = np.where((place == 0) | (rng.random(count) < 0.6), own, other)
    history = rng.random(count) < np.where(place == 0, 0.9, 0.7)
    known = rng.random(count) < 0.75
    mean_wait = np.array([180, 60, 3_600, 240])[channel] * np.where(slow[ticket], 2.5, 1.0)
    wait = rng.exponential(mean_wait)
    handle = 30 + rng.gamma(2, 160, count)
    gone = (wait > 600) & (channel < 2) & (rng.random(count) < 0.5) | (rng.random(count) < 0.01)
    contacts = pd.DataFrame(
        {
            "contact": first * _TICKETS_EACH * 4 + np.arange(count),
            "ticket": tickets["ticket"].to_numpy()[ticket],
            "person": tickets["person"].to_numpy()[ticket],
            "started_at": at,
            "channel": coded(channel, SERVICE_CHANNELS),
            "team": coded(tickets["team"].cat.codes.to_numpy()[ticket], TEAMS),
            "wait_s": wait.astype(np.int64),
            "handle_s": np.where(gone, 0, handle.astype(np.int64)),
            "recognised": known,
            "history_available": history,
            "had_to_repeat": (place > 0) & ~(known & history),
            "abandoned": gone,
            "cost_amount": np.where(gone, 2_000, _COST[channel] + (handle * 25).astype(np.int64)),
        }
    )
    return contacts[contacts["started_at"] < EXPORTED].reset_index(drop=True)


def _promises(tickets: pd.DataFrame) -> pd.DataFrame:
    """Promise each ticket a first reply within four working hours."""
    opened = tickets["opened_at"].to_numpy()
    due = working_hours_later(opened, np.full(len(tickets), 4.0))
    reply = tickets["first_reply_at"].to_numpy()
    waiting = np.isnat(reply) & (due >= EXPORTED)
    kept = np.where(waiting, -1, np.where(np.isnat(reply) | (reply > due), 0, 1))
    return pd.DataFrame(
        {
            "promise": tickets["ticket"].to_numpy() * 10 + 5,
            "person": tickets["person"].to_numpy(),
            "ticket": tickets["ticket"].to_numpy(),
            "promised_at": opened,
            "promised_by": due,
            "actual_at": reply,
            "kept": kept.astype(np.int8),
        }
    )
