"""What the customers of a new study's made-up shop can be seen doing, before and after they buy."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

__all__ = ["VISIT_HEAD", "visits"]

VISIT_HEAD = ("hit", "visitor", "when", "did", "where", "came_by", "visit", "worked")

# How people come to the shop, how often, and how many of them go on.
_WAYS = {"search": 5, "newsletter": 2, "advertisement": 3, "social media": 2}
_STEPS = ("product viewed", "cart filled", "checkout begun")
_GOES_ON = 0.55


class Placed(Protocol):
    """What a visit needs to know of an order."""

    @property
    def customer(self) -> str:
        """Whose it is."""

    @property
    def placed(self) -> datetime:
        """When it was placed."""

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing came of it."""

    @property
    def delivered(self) -> datetime:
        """When it came."""


def visits(
    orders: Mapping[str, Placed], end: datetime, chance: Random
) -> Iterator[Sequence[object]]:
    """Make one row per contact, in the shape of `VISIT_HEAD`, none at the end or later."""
    number = 0
    for visit, (at, contacts) in enumerate(_all(orders, end, chance), start=1):
        way = chance.choices(list(_WAYS), list(_WAYS.values()))[0]
        for who, minutes, did, where, worked in contacts:
            number += 1
            when = at + timedelta(minutes=minutes)
            if when < end:
                by = way if where == "shop" else "post" if where == "delivery" else "phone"
                yield [f"H{number:06d}", who, when, did, where, by, f"V{visit:05d}", worked]


_Contact = tuple[str, float, str, str, str]


def _all(
    orders: Mapping[str, Placed], end: datetime, chance: Random
) -> Iterator[tuple[datetime, list[_Contact]]]:
    for order in orders.values():
        who = order.customer
        # Most come a first time without buying, some days before.
        if chance.random() < 0.6:
            days = 1 + chance.random() * 8
            yield order.placed - timedelta(days=days), _look(who, chance)
        begun = order.placed - timedelta(minutes=12)
        steps = [(who, 4.0 * i, did, "shop", "yes") for i, did in enumerate(_STEPS)]
        yield begun, [*steps, (who, 12.0, "order placed", "shop", "yes")]
        if not order.is_cancelled:
            late = order.delivered - order.placed > timedelta(days=6)
            yield order.delivered, [(who, 0.0, "parcel received", "delivery", "yes")]
            if chance.random() < (0.4 if late else 0.08):
                asked = order.delivered - timedelta(hours=chance.randrange(2, 30))
                solved = "yes" if chance.random() < 0.8 else "no"
                yield asked, [(who, 0.0, "service called", "service desk", solved)]
        for _ in range(chance.choices((0, 1, 2, 3), (2, 4, 3, 1))[0]):
            stranger = f"visitor {chance.randrange(1, 10**6):06d}"
            at = order.placed + timedelta(days=chance.uniform(-20, 20))
            if at < end:
                yield at, _look(stranger, chance)


def _look(who: str, chance: Random) -> list[_Contact]:
    """Make a visit that leads to no order: each step is taken by fewer."""
    contacts: list[_Contact] = []
    for i, did in enumerate(_STEPS):
        if i and chance.random() > _GOES_ON:
            break
        contacts.append((who, 3.0 * i, did, "shop", "yes"))
    if len(contacts) == len(_STEPS):
        contacts.append((who, 3.0 * len(_STEPS), "form left", "shop", "no"))
    return contacts
