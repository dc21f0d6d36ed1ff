"""A new study that runs as it is: commented settings, a mapping per table, made-up raw files.

Whoever starts has something that works and replaces it piece by piece: first the raw
files, then the SQL that maps them, then the definitions.
"""

import csv
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from cxlab.cycle.new_subscriptions import SUBSCRIPTION_HEAD, subscriptions
from cxlab.cycle.new_visits import VISIT_HEAD, visits
from cxlab.errors import RunError

__all__ = ["new_study"]

_TEMPLATES = Path(__file__).with_name("templates")

# Five quarters, as `covers` in templates/study.yaml says.
_FIRST = datetime(2025, 4, 1)
_END = datetime(2026, 7, 1)
_CUSTOMERS = 400
_LAST_QUARTER = datetime(2026, 4, 1)


def new_study(folder: Path) -> list[Path]:
    """Make a study in a new or an empty folder.

    Parameters
    ----------
    folder : pathlib.Path
        Where to; its parents are made too.

    Returns
    -------
    list of pathlib.Path
        The files, in the order in which to read them.

    Raises
    ------
    RunError
        If the folder holds anything already, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"A new study needs a new or an empty folder, but {folder} holds something. "
            "Choose another name."
        )
    try:
        (folder / "raw").mkdir(parents=True)
        shutil.copy(_TEMPLATES / "study.yaml", folder)
        shutil.copytree(_TEMPLATES / "tables", folder / "tables")
        raw = _write_raw(folder / "raw", Random(2026))  # noqa: S311  (a sample, no secret)
    except OSError as fault:
        raise RunError(
            f"{folder} must be writable, but is not: {fault.strerror}. Choose another folder."
        ) from fault
    tables = sorted((folder / "tables").glob("*.sql"), key=lambda f: f.name.lstrip("_"))
    return [folder / "study.yaml", *tables, *raw]


@dataclass(frozen=True)
class _Order:
    """One order, and what became of it."""

    customer: str
    placed: datetime
    is_cancelled: bool
    is_test: bool
    amount: float
    carrier: str
    days_late: int

    @property
    def promised(self) -> date:
        """Five days after the order, as the shop always says."""
        return self.placed.date() + timedelta(days=5)

    @property
    def delivered(self) -> datetime:
        """The day it came, at some hour."""
        day = self.promised + timedelta(days=self.days_late)
        return datetime(day.year, day.month, day.day, 9 + self.placed.minute % 9)


def _write_raw(raw: Path, chance: Random) -> list[Path]:
    """Write what six systems of a small shop might hand over on the last day."""
    customers = list(_customers(chance))
    orders = sorted(_orders(customers, chance), key=lambda o: (o.placed, o.customer))
    numbered = {f"A{number}": order for number, order in enumerate(orders, start=10_001)}
    sent = {number: order for number, order in numbered.items() if not order.is_cancelled}
    tables: dict[str, list[Sequence[object]]] = {
        "customers.csv": [["Customer No", "Signed up", "Came by", "Region"], *customers],
        "orders.csv": [
            ["Order No", "Customer No", "Ordered", "Net", "Shipping", "State", "Test"],
            *(_order_row(number, order) for number, order in numbered.items()),
        ],
        "deliveries.csv": [
            ["order_id", "carrier", "promised", "shipped", "delivered", "complete"],
            *(_delivery_row(number, order) for number, order in sent.items()),
        ],
        "survey.csv": [
            ["response", "order_no", "answered", "satisfied", "easy", "recommend"],
            *_answers(sent, chance),
        ],
        "visits.csv": [VISIT_HEAD, *visits(numbered, _END, Random(2027))],  # noqa: S311
        "subscriptions.csv": [
            SUBSCRIPTION_HEAD,
            *subscriptions(customers, _END, Random(2028)),  # noqa: S311
        ],
    }
    for name, rows in tables.items():
        with (raw / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    return [raw / name for name in tables]


def _customers(chance: Random) -> Iterator[tuple[str, datetime, str, str]]:
    # Some were there before the first cycle, the others come one by one.
    days = (_END - _FIRST).days
    for number in range(1, _CUSTOMERS + 1):
        signed_up = _FIRST + timedelta(
            days=chance.randrange(-90, days - 30), minutes=chance.randrange(24 * 60)
        )
        came_by = chance.choices(
            ("search", "recommendation", "advertisement", "newsletter"), (4, 2, 3, 1)
        )
        region = chance.choices(("North", "South", "East", "West"), (4, 3, 2, 2))
        yield f"C{number:04d}", signed_up, came_by[0], region[0]


def _orders(
    customers: Sequence[tuple[str, datetime, str, str]], chance: Random
) -> Iterator[_Order]:
    for customer, signed_up, _, region in customers:
        between_days = 10 + chance.expovariate(1 / 45)
        gone = signed_up + timedelta(days=chance.expovariate(1 / 300))
        spend = chance.lognormvariate(3.7, 0.4)
        placed = signed_up + timedelta(minutes=chance.randrange(60, 48 * 60))
        while placed < min(gone, _END):
            if placed >= _FIRST:
                yield _order(customer, placed, region, spend, chance)
            wait_days = 1 + chance.expovariate(1 / between_days)
            placed += timedelta(minutes=round(wait_days * 24 * 60))


def _order(customer: str, placed: datetime, region: str, spend: float, chance: Random) -> _Order:
    carrier = "Parcel Two" if region in ("South", "East") else "Parcel One"
    # The second carrier has trouble in the last quarter: something to find in the report.
    risk = 0.09 if carrier == "Parcel One" else 0.45 if placed >= _LAST_QUARTER else 0.15
    is_late = chance.random() < risk
    return _Order(
        customer=customer,
        placed=placed,
        is_cancelled=chance.random() < 0.03,
        is_test=chance.random() < 0.01,
        amount=spend * chance.lognormvariate(0, 0.3),
        carrier=carrier,
        days_late=chance.randint(1, 9) if is_late else chance.randint(-3, 0),
    )


def _order_row(number: str, order: _Order) -> list[str]:
    state = "cancelled" if order.is_cancelled else "sent"
    ordered = f"{order.placed:%d.%m.%Y %H:%M}"
    is_test = "yes" if order.is_test else "no"
    return [number, order.customer, ordered, f"{order.amount:.2f}", "4.90", state, is_test]


def _delivery_row(number: str, order: _Order) -> list[object]:
    shipped = order.placed + timedelta(hours=20)
    delivered = [moment if moment < _END else "" for moment in (shipped, order.delivered)]
    # Now and then one of the parts has to be sent later.
    complete = "no" if order.placed.minute == 0 else "yes"
    return [number, order.carrier, order.promised, *delivered, complete if delivered[1] else ""]


def _answers(sent: dict[str, _Order], chance: Random) -> Iterator[list[object]]:
    for number, order in sent.items():
        answered = order.delivered + timedelta(minutes=chance.randrange(60, 6 * 24 * 60))
        if chance.random() < 0.45 and answered < _END:
            mood = chance.gauss(4.3 - 0.25 * max(order.days_late, 0), 0.8)
            easy = 1.2 * mood + chance.gauss(0, 1)
            recommend = 2 * mood + chance.gauss(0, 1)
            marks = _mark(mood, 1, 5), _mark(easy, 1, 7), _mark(recommend, 0, 10)
            yield [f"S{number[1:]}", number, answered, *marks]


def _mark(mood: float, least: int, most: int) -> int:
    return min(max(round(mood), least), most)
