"""What the made-up company tried, and what it truly did."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["INITIATIVES", "Initiative"]


@dataclass(frozen=True, kw_only=True)
class Initiative:
    """Something the company tried, and what it truly did.

    Attributes
    ----------
    design : str
        How it was rolled out: `randomised` by customer, `staggered` by region with the
        worst regions first, or `whole company`.
    starts_quarter : int
        0 to 11. A staggered one takes five regions more in each of four quarters.
    acts_on : str
        What it changes: `late` (log odds that a delivery is late), `late_pain` (mood per
        late order), `hazard` (log hazard of a customer's own end of a subscription),
        `service_mood` (mood after a ticket), or nothing.
    effect : float
        By how much; 0 is truly nothing.
    """

    name: str
    hypothesis: str
    metric: str
    design: Literal["randomised", "staggered", "whole company"]
    starts_quarter: int
    acts_on: str = ""
    effect: float = 0.0


INITIATIVES = (
    Initiative(name="second carrier", hypothesis="A second carrier makes deliveries punctual.",
               metric="delivery.kept_share", design="staggered", starts_quarter=4,
               acts_on="late", effect=-0.6),
    Initiative(name="barista training", hypothesis="Trained baristas make visits pleasant.",
               metric="csat.top_box_share", design="staggered", starts_quarter=3),
    Initiative(name="welcome letter", hypothesis="A letter brings a second purchase.",
               metric="orders.count", design="randomised", starts_quarter=2),
    Initiative(name="refill reminder", hypothesis="A reminder keeps subscribers.",
               metric="churn.rate", design="randomised", starts_quarter=5,
               acts_on="hazard", effect=-0.35),
    Initiative(name="new packaging", hypothesis="Better packaging pleases.",
               metric="csat.top_box_share", design="whole company", starts_quarter=4),
    Initiative(name="chatbot first", hypothesis="A chatbot answers sooner and as well.",
               metric="csat.top_box_share", design="whole company", starts_quarter=8,
               acts_on="service_mood", effect=-0.5),
    Initiative(name="double points", hypothesis="Double points bring visits.",
               metric="orders.count", design="randomised", starts_quarter=6),
    Initiative(name="delay notice", hypothesis="A notice takes the sting out of a delay.",
               metric="csat.top_box_share", design="randomised", starts_quarter=6,
               acts_on="late_pain", effect=0.5),
    Initiative(name="tasting tour", hypothesis="Tastings raise attachment.",
               metric="nps.score", design="staggered", starts_quarter=7),
    Initiative(name="app redesign", hypothesis="A simpler app takes less effort.",
               metric="ces.mean", design="whole company", starts_quarter=9),
    Initiative(name="grinder on loan", hypothesis="A grinder on loan keeps subscribers.",
               metric="churn.rate", design="randomised", starts_quarter=7),
    Initiative(name="price promise", hypothesis="A price promise keeps bargain hunters.",
               metric="churn.rate", design="randomised", starts_quarter=8),
)  # fmt: skip
