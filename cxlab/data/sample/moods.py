"""How satisfied customers are, occasion by occasion, whether anybody asks or not.

Notes
-----
true_moods : one row per order that arrived (or is overdue) and per ticket solved:
    `occasion`, `kind` {order, ticket}, `person`, `order` and `ticket` (or -1), `at` (UTC),
    `touchpoint`, `delivered` (whether something was brought), `is_late`, `expected`
    (latent satisfaction without what is normal and new on each occasion), `latent`, a rating
    of each driver (standard normal: `delivery`, `quality`, `price`, `staff`, `ease`),
    `effort` (latent, high is easy), `mark` (1 to 5), `effort_mark` (1 to 7).
true_scores : the truth of surveys after orders and tickets, one row per `kind` and
    `quarter`: `occasions`, `top_box` (marks of 4 or 5 among all occasions), `expected_top_box`
    (their expectation), `effort_sum` (of all effort marks), `expected_effort_sum`. Sums:
    parts of the company add up.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cxlab.data.sample.activities import PLACES
from cxlab.data.sample.clock import EXPORTED
from cxlab.data.sample.company import DRIVERS
from cxlab.data.sample.people import coded
from cxlab.data.sample.world import World, chance

__all__ = ["KINDS", "attitude", "marks", "personal", "simulate_moods"]

Numbers = NDArray[np.float64]

KINDS = ("order", "ticket")
_BOUGHT_AT = {"store": "shop visit", "marketplace": "marketplace page"}  # else the web shop


def marks(latent: Numbers, thresholds: tuple[float, ...], lowest: int = 1) -> NDArray[np.int8]:
    """Cut latent values into marks from `lowest` up."""
    return (lowest + np.searchsorted(np.array(thresholds), latent, side="right")).astype(np.int8)


def attitude(world: World, people: pd.DataFrame, moment: NDArray[np.datetime64]) -> Numbers:
    """Return satisfaction as segment, region and quarter have it, of each person (a row each)."""
    of_segment = np.array([s.mood for s in world.company.segments])
    region = people["region"].cat.codes.to_numpy()
    return np.asarray(
        of_segment[people["segment"].cat.codes.to_numpy()]
        + world.region_mood[region, world.quarter(moment)]
    )


def personal(world: World, people: pd.DataFrame) -> Numbers:
    """Return what a person adds to satisfaction: mood and attachment."""
    truth = world.company.feelings
    return np.asarray(
        truth.person_mood * people["mood"].to_numpy()
        + truth.attachment_mood * people["attachment"].to_numpy()
    )


def simulate_moods(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the latent satisfaction of each order and ticket, and its true sums."""
    first = int(tables["people"]["person"].iloc[0])
    rng = chance(world.seed, "moods", first)
    company = world.company
    orders, tickets = _orders(world, tables), _tickets(world, tables)
    moods = pd.DataFrame(
        {name: np.concatenate([orders[name], tickets[name]]) for name in orders.columns}
    )
    moods["kind"] = coded(np.repeat([0, 1], [len(orders), len(tickets)]), KINDS)
    moods["touchpoint"] = coded(moods["touchpoint"].to_numpy(), PLACES)
    size = len(moods)
    ratings = rng.standard_normal((len(DRIVERS), size))
    weights = np.array([company.drivers[d] for d in DRIVERS])
    people = tables["people"].iloc[moods["person"].to_numpy() - first]
    moods["latent"] = (
        moods["expected"] + personal(world, people) + weights @ ratings + rng.standard_normal(size)
    )
    for name, rating in zip(DRIVERS, ratings, strict=True):
        moods[name] = rating
    truth = company.feelings
    moods["effort"] = (
        truth.effort_mood * moods["latent"]
        + truth.effort_ease * moods["ease"]
        + rng.standard_normal(size)
    )
    moods["mark"] = marks(moods["latent"].to_numpy(), company.thresholds)
    moods["effort_mark"] = marks(moods["effort"].to_numpy(), truth.effort_thresholds)
    moods.insert(0, "occasion", first * 10_000 + np.arange(size))
    return {"true_moods": moods, "true_scores": _scores(world, moods)}


def _orders(world: World, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List the orders that arrived or are overdue, with their expected satisfaction."""
    people, orders, deliveries = tables["people"], tables["orders"], tables["deliveries"]
    company = world.company
    row = np.searchsorted(orders["order"].to_numpy(), deliveries["order"].to_numpy())
    at = orders["placed_at"].to_numpy().copy()
    sent = np.zeros(len(orders), dtype=bool)
    late = np.zeros(len(orders), dtype=bool)
    came = deliveries["delivered_at"].to_numpy()
    sent[row], late[row] = True, deliveries["is_late"].to_numpy()
    at[row] = np.where(np.isnat(came), deliveries["true_late_at"].to_numpy(), came)
    # What is not there and not overdue yet is no occasion, nor is what was cancelled.
    happened = (orders["status"] != "cancelled").to_numpy() & ~(at >= EXPORTED) & ~np.isnat(at)
    buyer = people.iloc[orders["person"].to_numpy() - int(people["person"].iloc[0])]
    pain = np.full(len(orders), company.late_pain)
    found = company.initiative("late_pain")
    if found:
        pain += found[1].effect * world.treated(found[0], buyer, orders["placed_at"].to_numpy())
    names = list(orders["channel"].cat.categories)
    place = np.array([PLACES.index(_BOUGHT_AT.get(name, "web shop")) for name in names])
    listed = pd.DataFrame(
        {
            "person": orders["person"].to_numpy(),
            "order": orders["order"].to_numpy(),
            "ticket": -1,
            "at": at,
            "touchpoint": place[orders["channel"].cat.codes.to_numpy()],
            "delivered": sent,
            "is_late": late,
            "expected": attitude(world, buyer, at) + late * pain,
        }
    )
    return pd.DataFrame(listed[happened])


def _tickets(world: World, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List the tickets solved, with their expected satisfaction."""
    people, tickets = tables["people"], tables["tickets"]
    company = world.company
    tickets = tickets[tickets["solved_at"].notna()]
    caller = people.iloc[tickets["person"].to_numpy() - int(people["person"].iloc[0])]
    at = tickets["solved_at"].to_numpy()
    change = tickets["true_slow"].to_numpy() * company.service_pain
    found = company.initiative("service_mood")
    if found:
        opened = tickets["opened_at"].to_numpy()
        change = change + found[1].effect * world.treated(found[0], caller, opened)
    return pd.DataFrame(
        {
            "person": tickets["person"].to_numpy(),
            "order": tickets["order"].to_numpy(),
            "ticket": tickets["ticket"].to_numpy(),
            "at": at,
            "touchpoint": PLACES.index("service desk"),
            "delivered": False,
            "is_late": False,
            "expected": attitude(world, caller, at) + change,
        }
    )


def _scores(world: World, moods: pd.DataFrame) -> pd.DataFrame:
    """Sum up marks and their expectations by kind and quarter."""
    company, truth = world.company, world.company.feelings
    spread = _spread(world)
    expected = moods["expected"].to_numpy()
    top = 1 - ndtr((company.thresholds[2] - expected) / spread)
    ease = company.drivers["ease"]
    # Ease acts on effort directly and through satisfaction.
    effort_spread = np.sqrt(
        truth.effort_mood**2 * (spread**2 - ease**2)
        + (truth.effort_mood * ease + truth.effort_ease) ** 2
        + 1
    )
    effort = 1 + sum(
        1 - ndtr((cut - truth.effort_mood * expected) / effort_spread)
        for cut in truth.effort_thresholds
    )
    sums = pd.DataFrame(
        {
            "kind": moods["kind"],
            "quarter": world.quarter(moods["at"].to_numpy()),
            "occasions": 1,
            "top_box": (moods["mark"] >= 4).astype(int),
            "expected_top_box": top,
            "effort_sum": moods["effort_mark"].astype(int),
            "expected_effort_sum": effort,
        }
    )
    return sums.groupby(["kind", "quarter"], observed=True, sort=True).sum().reset_index()


def _spread(world: World) -> float:
    """Return the standard deviation of satisfaction around what is expected of an occasion."""
    company, truth = world.company, world.company.feelings
    by_drivers = sum(weight**2 for weight in company.drivers.values())
    return float(np.sqrt(truth.person_mood**2 + truth.attachment_mood**2 + by_drivers + 1))
