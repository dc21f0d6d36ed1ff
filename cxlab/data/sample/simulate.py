"""One part of the company after the other: who they are, what they do, what they say.

The tables have the names and columns of the guide to mapping data, with numbers for
ids (`person`, `order`, ...), moments in UTC, and what nobody can observe in columns
that begin with `true_`. The systems' exports are made from them. The columns stand at
the top of the module that makes a table.

Commerce: `exposures` and `initiative_costs` (`exposures`), `orders` and `true_people`
(`purchases`), `order_lines` and `stock_events` (`baskets`), `deliveries`, `returns` and
`promises` (`deliveries`), `subscriptions` (`subscriptions`, `hazards`),
`subscription_changes` and `usage` (`changes`), `true_service` (`slow_service`),
`invoices` (`invoices`), `loyalty` (`points`).

Contact: `journeys` and `touches` (`paths`), `campaigns` (`campaigns`), `messages`
(`messages`), `interactions` (`visits`), `tickets`, `contacts` and `sla_promises`
(`service`), `shifts` and `costs` (`staff`). Feedback: `true_moods` and `true_scores`
(`moods`), `invitations` (`invitations`), `answers` (`surveys`, `questions`), `comments`
and `true_comments` (`words`), `referrals` and `margin_counts` (`referrals`).
"""

from collections.abc import Callable, Iterator

import pandas as pd

from cxlab.data.sample.accounts import simulate_accounts
from cxlab.data.sample.baskets import simulate_baskets
from cxlab.data.sample.business import simulate_business
from cxlab.data.sample.campaigns import simulate_campaigns
from cxlab.data.sample.changes import simulate_changes, simulate_usage
from cxlab.data.sample.consents import simulate_consents
from cxlab.data.sample.deliveries import (
    simulate_deliveries,
    simulate_promises,
    simulate_returns,
)
from cxlab.data.sample.exposures import initiative_costs, simulate_exposures, world_exposures
from cxlab.data.sample.invitations import simulate_invitations
from cxlab.data.sample.invoices import simulate_invoices
from cxlab.data.sample.messages import simulate_messages
from cxlab.data.sample.moods import simulate_moods
from cxlab.data.sample.paths import simulate_journeys
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.points import simulate_points
from cxlab.data.sample.purchases import simulate_orders
from cxlab.data.sample.referrals import simulate_margins, simulate_referrals
from cxlab.data.sample.service import simulate_service
from cxlab.data.sample.slow_service import simulate_slow_service
from cxlab.data.sample.staff import simulate_costs, simulate_shifts
from cxlab.data.sample.subscriptions import simulate_endings, simulate_subscribers
from cxlab.data.sample.surveys import simulate_answers
from cxlab.data.sample.visits import simulate_interactions
from cxlab.data.sample.words import simulate_comments
from cxlab.data.sample.world import World

__all__ = ["PART", "Tables", "simulate", "simulate_part", "simulate_world"]

PART = 5_000  # customers made at a time: the unit of memory and of chance

Tables = dict[str, pd.DataFrame]
Step = Callable[[World, Tables], Tables]

# In this order: each step sees the tables of those before it, and brings new ones.
STEPS: tuple[Step, ...] = (
    simulate_exposures,
    simulate_orders,
    simulate_baskets,
    simulate_deliveries,
    simulate_returns,
    simulate_promises,
    simulate_subscribers,
    simulate_slow_service,
    simulate_endings,
    simulate_changes,
    simulate_usage,
    simulate_invoices,
    simulate_points,
    simulate_journeys,
    simulate_messages,
    simulate_service,
    simulate_interactions,
    simulate_moods,
    simulate_invitations,
    simulate_answers,
    simulate_comments,
    simulate_referrals,
    simulate_margins,
    simulate_consents,
    simulate_business,
    simulate_accounts,
)


def simulate_world(world: World, customers: int) -> Tables:
    """Make what is there once, whoever the customers are; some of it grows with their number."""
    return {
        "exposures": world_exposures(world),
        "initiative_costs": initiative_costs(world),
        "campaigns": simulate_campaigns(world, customers),
        "shifts": simulate_shifts(world, customers),
        "costs": simulate_costs(world, customers),
    }


def simulate_part(world: World, first: int, count: int) -> Tables:
    """Make everything of persons number `first` to `first + count`."""
    tables: Tables = {"people": simulate_people(world, first, count)}
    for step in STEPS:
        tables |= step(world, tables)
    return tables


def simulate(world: World, customers: int) -> Iterator[Tables]:
    """Make the company part by part; a part does not depend on how many there are."""
    for first in range(0, customers, PART):
        yield simulate_part(world, first, min(PART, customers - first))
