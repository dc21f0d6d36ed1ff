"""Who of the customers of a new study's made-up shop takes its monthly box, and for how long."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

__all__ = ["SUBSCRIPTION_HEAD", "subscriptions"]

SUBSCRIPTION_HEAD = ("contract", "customer_no", "box", "begun", "ended", "ended_by", "per_month")

_TAKES_IT = 0.6
_BOXES = {"small box": (3, 14.90, 260), "large box": (2, 27.90, 400)}  # weight, price, mean days
_CARD_FAILS = 0.25  # of endings


def subscriptions(
    customers: Sequence[tuple[str, datetime, str, str]], end: datetime, chance: Random
) -> Iterator[Sequence[object]]:
    """Make one row per contract, in the shape of `SUBSCRIPTION_HEAD`, as known at the end."""
    number = 0
    for customer, signed_up, *_ in customers:
        begun = signed_up + timedelta(days=3 + chance.expovariate(1 / 25))
        box = chance.choices(list(_BOXES), [weight for weight, *_ in _BOXES.values()])[0]
        _, price, mean_days = _BOXES[box]
        ended = begun + timedelta(days=1 + chance.expovariate(1 / mean_days))
        by = "bank" if chance.random() < _CARD_FAILS else "customer"
        if chance.random() < _TAKES_IT and begun < end:
            number += 1
            last = (f"{ended:%Y-%m-%d %H:%M}", by) if ended < end else ("", "")
            yield [
                f"S{number:04d}",
                customer,
                box,
                f"{begun:%Y-%m-%d %H:%M}",
                *last,
                f"{price:.2f}",
            ]
