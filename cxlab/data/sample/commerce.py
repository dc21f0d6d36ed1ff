"""What is true of buying, delivering, subscribing and collecting points.

Purchases and hazards of each latent kind of customer stand in `company.Segment`; here
is what all kinds share. Every number is drawn from as it stands.
"""

from dataclasses import dataclass, field
from datetime import date

__all__ = ["Commerce", "Plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A subscription of beans.

    Attributes
    ----------
    monthly_amount : int
        Rupiah, before the first price rise.
    bags : int
        Bags a month that it includes.
    rises_on : tuple of date
        First days, in Jakarta, of a higher price.
    """

    name: str
    monthly_amount: int
    bags: int
    rises_on: tuple[date, ...]


PLANS = (
    Plan(name="250 g", monthly_amount=89_000, bags=1,
         rises_on=(date(2024, 5, 1), date(2025, 11, 1))),
    Plan(name="500 g", monthly_amount=169_000, bags=2,
         rises_on=(date(2024, 8, 1), date(2026, 2, 1))),
    Plan(name="1 kg", monthly_amount=319_000, bags=4,
         rises_on=(date(2024, 11, 1), date(2026, 5, 1))),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Commerce:
    """What is true of commerce; shares are 0 to 1.

    Attributes
    ----------
    channels, channels_new : dict
        Shares of orders by channel, today and where the channels drift to: in quarter k
        (0 to 11) they lie `company.drift * k / 11` of the way.
    same_channel : float
        Chance that an order takes the customer's own channel; else it is drawn anew.
    hours : tuple
        Weight of each local hour of the day. A day's purchases follow BG/NBD, and are
        then spread over its hours in their order.
    cancelled : float
        Cancelled orders per purchase. They come on top: a cancelled order is no purchase
        of BG/NBD, all others are.
    returned : float
        Share of delivered orders that come back whole and are refunded whole, whatever
        they cost.
    lines : tuple
        Shares of orders with 1, 2, 3, 4 lines.
    stock_out, stock_out_sd : float
        Share of lines found out of stock after the order; standard deviation of its log
        odds between products and quarters.
    days_late : float
        Days late are geometric with this chance, from 1.
    new_carrier : float
        Share of deliveries that the second carrier takes where it has been rolled out.
    slow_per_order, slow_per_year : float
        Slow service episodes per purchase; per year of a subscriber.
    subscription_lag_days : float
        Mean of the exponential time from the first purchase to a subscription.
    change_per_year : dict
        Changes of a subscription per year, by kind.
    loyal : float
        Share that joins the loyalty programme.
    """

    channels: dict[str, float] = field(
        default_factory=lambda: {"store": 0.40, "web": 0.25, "app": 0.15, "marketplace": 0.20}
    )
    channels_new: dict[str, float] = field(
        default_factory=lambda: {"store": 0.10, "web": 0.15, "app": 0.40, "marketplace": 0.35}
    )
    same_channel: float = 0.6
    hours: tuple[float, ...] = (
        0.2, 0.1, 0.1, 0.1, 0.2, 0.5, 1.2, 2.5, 3.5, 3.5, 3.0, 3.0,
        3.5, 3.0, 2.8, 3.0, 3.5, 3.5, 3.2, 3.2, 2.8, 2.0, 1.0, 0.5,
    )  # fmt: skip
    cancelled: float = 0.03
    returned: float = 0.025
    lines: tuple[float, float, float, float] = (0.5, 0.3, 0.15, 0.05)
    discounted: float = 0.25
    quoted: float = 0.02  # of organisations' purchases: machines, after a quote
    stock_out: float = 0.02
    stock_out_sd: float = 0.8
    days_late: float = 0.45
    new_carrier: float = 0.5
    slow_per_order: float = 0.02
    slow_per_year: float = 0.30
    plans: tuple[Plan, ...] = PLANS
    plan_shares: tuple[float, ...] = (0.5, 0.35, 0.15)
    price_rise: float = 1.08
    subscription_lag_days: float = 90.0
    change_per_year: dict[str, float] = field(
        default_factory=lambda: {"upgrade": 0.12, "downgrade": 0.08, "pause": 0.10}
    )
    loyal: float = 0.5
    redeems: float = 0.12  # of a member's orders
