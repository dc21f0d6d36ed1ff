"""Fresh customers of the made-up company, again and again, as the tables that rooms read.

One world, so that what befalls everybody alike stays the same: regions in good and bad
quarters, rollouts, products. Its customers are made part by part, so the expectation over
customers is one fixed number for each estimate. A replicate is a run of consecutive persons
that no other replicate has. Their number is Poisson: a company does not choose how many
customers come, and intervals of totals take that into account.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle, parse_cycle
from cxlab.data.engine import DuckEngine, Table, TableLike
from cxlab.data.sample.baskets import simulate_baskets
from cxlab.data.sample.clock import day_of
from cxlab.data.sample.company import TIME_ZONE
from cxlab.data.sample.deliveries import simulate_deliveries, simulate_promises, simulate_returns
from cxlab.data.sample.invitations import simulate_invitations
from cxlab.data.sample.moods import simulate_moods
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.purchases import simulate_orders
from cxlab.data.sample.service import simulate_service
from cxlab.data.sample.slow_service import simulate_slow_service
from cxlab.data.sample.subscriptions import simulate_subscribers
from cxlab.data.sample.surveys import simulate_answers
from cxlab.data.sample.world import World

__all__ = ["CYCLE", "MEAN_SIZE", "PART", "Tables", "blocks", "in_engine", "parts", "tables_of"]

Tables = dict[str, pd.DataFrame]

CYCLE: Cycle = parse_cycle("2026Q3", time_zone=TIME_ZONE)  # the last whole quarter
MEAN_SIZE = 800  # customers of a replicate: 50 to 90 answers a quarter, 250 deliveries
PART = 16_000  # customers made at a time
_BLOCK = 48_000  # in whose replicates several questions are asked at once

# What buying, delivering and asking need, in the order of `cxlab.data.sample.simulate`.
_STEPS: tuple[Callable[[World, Tables], Tables], ...] = (
    simulate_orders, simulate_baskets, simulate_deliveries, simulate_returns, simulate_promises,
    simulate_subscribers, simulate_slow_service, simulate_service, simulate_moods,
    simulate_invitations,
)  # fmt: skip


def parts(
    world: World, customers: int, *, first: int, part: int = PART
) -> Iterator[tuple[Tables, Tables]]:
    """Make persons from `first` on; each part as simulated, and as canonical tables."""
    for start in range(first, first + customers, part):
        tables: Tables = {
            "people": simulate_people(world, start, min(part, first + customers - start))
        }
        for step in _STEPS:
            tables |= step(world, tables)
        # Only the two last quarters are looked at; a survey is answered within days.
        invitations = tables["invitations"]
        recent = invitations["sent_at"] >= pd.Timestamp(CYCLE.previous.start) - pd.Timedelta("30D")
        tables["invitations"] = invitations[recent]
        tables |= simulate_answers(world, tables)
        yield tables, tables_of(tables)


def blocks(
    world: World, repetitions: int, *, first: int = 0, size: int = MEAN_SIZE
) -> Iterator[list[Tables]]:
    """Make replicates of about `size` customers each, a list at a time."""
    sizes = np.random.default_rng(world.seed).poisson(size, repetitions)
    room = size + 8 * int(np.sqrt(size))  # more than a Poisson number ever needs
    each = _BLOCK // room
    for start in range(0, repetitions, each):
        many = min(each, repetitions - start)
        (_, tables), *_ = parts(world, many * room, first=first + start * room, part=_BLOCK)
        begins = [first + (start + place) * room for place in range(many)]
        yield [
            _persons(tables, begin, begin + min(int(size), room))
            for begin, size in zip(begins, sizes[start : start + many], strict=True)
        ]


def in_engine(tables: Tables) -> dict[str, Table]:
    """Register tables in an engine of their own, which goes when they go."""
    engine = _Again()
    return {name: engine.table(frame.drop(columns="person")) for name, frame in tables.items()}


class _Again(DuckEngine):
    """DuckDB that translates equal SQL once for all replicates: half of the time goes there."""

    translated: ClassVar[dict[object, str]] = {}

    def __init__(self) -> None:
        super().__init__(threads=1, memory="1GB")
        self._names = (f"cx_{i}" for i in itertools.count())  # the same in each replicate

    def compile(self, sql: str, names: Mapping[str, Any], **how: Any) -> str:
        bound = {k: self.table(v) if isinstance(v, TableLike) else v for k, v in names.items()}
        words = {k: v.name if isinstance(v, Table) else repr(v) for k, v in bound.items()}
        key = (sql, *words.items(), *how.items())
        if key not in self.translated:
            if len(self.translated) > 1_000:  # break points of scores are new each time
                self.translated.clear()
            self.translated[key] = super().compile(sql, bound, **how)
        return self.translated[key]


def tables_of(raw: Tables) -> Tables:
    """Write what was simulated as canonical tables; `person` stays beside `customer_id`."""
    orders, deliveries = raw["orders"], raw["deliveries"]
    people, answers = raw["people"], raw["answers"]
    answers = answers[answers["construct"].isin(["csat", "ces", "nps"]).to_numpy()]
    asked = ("person", "answered_at", "value", "scale_min", "scale_max", "reversed")
    tables = {
        "customers": people[["person", "first_seen_at"]],
        "arms": people[["person"]].assign(arm=np.where(people["arm_2"] == 1, "treated", "control")),
        "orders": orders[["person", "placed_at"]].assign(
            order_id=orders["order"].astype("string"),
            placed_on=day_of(orders["placed_at"].to_numpy()).astype("datetime64[s]"),
            net_amount=orders["net_amount"] - orders["refund_amount"],
            status=orders["status"].astype("string"),
        ),
        "answers": answers[list(asked)].assign(
            response_id=answers["response"].astype("string"),
            construct=answers["construct"].astype("string"),
            order_id=answers["order"].astype("string").where(answers["order"] >= 0),
        ),
        "promises": _promises(raw),
        "shipments": deliveries[["person", "promised_on", "delivered_at", "in_full"]].assign(
            order_id=deliveries["order"].astype("string"),
            delivered_on=day_of(deliveries["delivered_at"].to_numpy()).astype("datetime64[s]"),
        ),
    }
    for name in ("orders", "shipments"):
        for day in ("placed_on", "promised_on", "delivered_on"):
            if day in tables[name]:  # days, not moments
                tables[name][day] = tables[name][day].astype("date32[day][pyarrow]")
    return {
        name: frame.assign(customer_id=frame["person"].astype("string")).reset_index(drop=True)
        if name != "shipments"  # shipments know their order, not their customer
        else frame.reset_index(drop=True)
        for name, frame in tables.items()
    }


def _promises(raw: Tables) -> pd.DataFrame:
    """Promises of three kinds; one falls due at the end of its day, or when it was made."""
    made, sla = raw["promises"], raw["sla_promises"]
    day = pd.Timedelta(days=1, hours=-7, seconds=-1)
    due = np.where(made["kind"] == "availability", made["promised_at"], made["promised_on"] + day)
    told = pd.concat(
        [
            made[["person", "kept"]].assign(kind=made["kind"].astype("string"), due_at=due),
            sla[["person", "kept"]].assign(kind="sla", due_at=sla["promised_by"]),
        ],
        ignore_index=True,
    )
    return told.assign(kept=(told["kept"] == 1).astype("boolean").where(told["kept"] >= 0))


def _persons(tables: Tables, first: int, end: int) -> Tables:
    """Take the rows of persons number `first` to `end`."""
    return {name: t[t["person"].between(first, end - 1)] for name, t in tables.items()}
