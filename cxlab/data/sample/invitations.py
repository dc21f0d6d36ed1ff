"""Who is asked, when and with which chance, and who answers.

Notes
-----
invitations : `invitation`, `person`, `survey` {order, service, relational}, `sent_at`,
    `delivered_at`, `opened_at`, `started_at`, `finished_at` (UTC; missing where it did not
    happen), `selection_prob`, `trigger_type` {order, ticket, calendar}, `trigger` (number
    of the order or ticket, or of the quarter), `true_row` (row of `true_moods`, or -1),
    `true_latent` (satisfaction of which the answers tell), `true_response` (the chance to
    answer, once delivered).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from cxlab.data.sample.clock import DAY, EXPORTED, NOT_YET, as_seen, later
from cxlab.data.sample.company import QUARTERS
from cxlab.data.sample.moods import KINDS, attitude, personal
from cxlab.data.sample.people import coded
from cxlab.data.sample.questions import SURVEYS
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_invitations"]

TRIGGERS = ("order", "ticket", "calendar")
_RECENT = 30 * DAY
_WIDE = 10**10  # more seconds than the log has: puts person and moment into one number
_OPENED, _STARTED = 0.35, 0.1  # of those who do not finish: look, and begin


def simulate_invitations(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Ask after orders and tickets, and a sample of all customers in each quarter."""
    first = int(tables["people"]["person"].iloc[0])
    rng = chance(world.seed, "invite", first)
    asked = [_after(rng, world, tables["true_moods"]), _each_quarter(rng, world, tables["people"])]
    sent = pd.DataFrame(
        {name: np.concatenate([a[name].to_numpy() for a in asked]) for name in asked[0].columns}
    )
    sent = sent[sent["sent_at"] < EXPORTED].sort_values(["person", "sent_at"], kind="stable")
    sent = sent.reset_index(drop=True)
    response = world.company.response
    odds = response["base"] + response["recent_contact"] * _recent(world, tables, sent, first)
    odds = odds + response["satisfaction"] * sent["true_latent"].to_numpy()
    sent["true_response"] = expit(odds)
    sent = pd.concat([sent, _course(rng, world, sent)], axis=1)
    sent.insert(0, "invitation", first * 1_000 + np.arange(len(sent)))
    sent["survey"] = coded(sent["survey"].to_numpy(), SURVEYS)
    sent["trigger_type"] = coded(sent["trigger_type"].to_numpy(), TRIGGERS)
    return {"invitations": sent}


def _after(rng: np.random.Generator, world: World, moods: pd.DataFrame) -> pd.DataFrame:
    """Choose occasions to ask about, a day later."""
    truth = world.company.feelings
    on_ticket = moods["kind"].cat.codes.to_numpy() == KINDS.index("ticket")
    share = np.where(on_ticket, truth.asked_after_ticket, truth.asked_after_order)
    row = np.flatnonzero(rng.random(len(moods)) < share)
    chosen, by_ticket = moods.iloc[row], on_ticket[row].astype(np.int8)
    wait = DAY + rng.integers(0, DAY // 2, len(row))
    return pd.DataFrame(
        {
            "person": chosen["person"].to_numpy(),
            "survey": by_ticket,
            "sent_at": later(chosen["at"].to_numpy(), wait),
            "selection_prob": share[row],
            "trigger_type": by_ticket,
            "trigger": np.where(by_ticket == 1, chosen["ticket"], chosen["order"]),
            "true_row": row,
            "true_latent": chosen["latent"].to_numpy(),
        }
    )


def _each_quarter(rng: np.random.Generator, world: World, people: pd.DataFrame) -> pd.DataFrame:
    """Draw a random sample of the customers of each quarter; organisations more often."""
    truth = world.company.feelings
    by_party = np.array([truth.asked_person, truth.asked_organisation])
    share = by_party[people["party"].cat.codes.to_numpy()]
    row, quarter = np.nonzero(rng.random((len(people), QUARTERS)) < share[:, None])
    # Quarters begin at midnight in Jakarta; the survey goes out between 9 and 17.
    clock = rng.integers(9 * 3_600, 17 * 3_600, len(row))
    at = later(world.quarter_starts[quarter], rng.integers(30, 75, len(row)) * DAY + clock)
    known = people["first_seen_at"].to_numpy()[row] < at
    row, quarter, at = row[known], quarter[known], at[known]
    asked = people.iloc[row]
    latent = attitude(world, asked, at) + personal(world, asked) + rng.standard_normal(len(row))
    return pd.DataFrame(
        {
            "person": asked["person"].to_numpy(),
            "survey": np.int8(2),
            "sent_at": at,
            "selection_prob": share[row],
            "trigger_type": np.int8(2),
            "trigger": quarter,
            "true_row": -1,
            "true_latent": latent,
        }
    )


def _recent(
    world: World, tables: dict[str, pd.DataFrame], sent: pd.DataFrame, first: int
) -> NDArray[np.bool_]:
    """Tell who bought or called within 30 days before being asked."""
    met = [("orders", "placed_at"), ("tickets", "opened_at")]
    person = np.concatenate([tables[table]["person"].to_numpy() for table, _ in met])
    at = np.concatenate([tables[table][moment].to_numpy() for table, moment in met])
    key = np.sort((person - first) * _WIDE + _seconds(world, at))
    asked = (sent["person"].to_numpy() - first) * _WIDE
    until = _seconds(world, sent["sent_at"].to_numpy())
    since = np.maximum(until - _RECENT, 0)
    return np.asarray(np.searchsorted(key, asked + since) < np.searchsorted(key, asked + until))


def _course(rng: np.random.Generator, world: World, sent: pd.DataFrame) -> pd.DataFrame:
    """Draw when each invitation was delivered, opened, started and finished."""
    size = len(sent)
    reached = rng.random(size) < world.company.feelings.reaches
    finishes = reached & (rng.random(size) < sent["true_response"].to_numpy())
    starts = finishes | (reached & (rng.random(size) < _STARTED))
    opens = starts | (reached & (rng.random(size) < _OPENED))
    delivered = later(sent["sent_at"].to_numpy(), rng.integers(1, 120, size))
    opened = later(delivered, 60 + rng.exponential(0.6 * DAY, size))
    started = later(opened, 5 + rng.exponential(60, size))
    finished = later(started, 60 + rng.exponential(200, size))
    moments = {
        "delivered_at": (delivered, reached),
        "opened_at": (opened, opens),
        "started_at": (started, starts),
        "finished_at": (finished, finishes),
    }
    return pd.DataFrame(
        {name: as_seen(np.where(has, at, NOT_YET)) for name, (at, has) in moments.items()}
    )


def _seconds(world: World, moment: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return seconds since the log began."""
    return np.asarray((moment - world.start).astype("timedelta64[s]").astype(np.int64))
