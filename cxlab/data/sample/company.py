"""What is true of the made-up company: every number that an estimate could look for.

A coffee retailer in Indonesia: shops, a web shop, a marketplace, a subscription of
beans, a loyalty programme, machines for offices by quote, a service desk, delivery.
All of it is invented. A variant of the company differs in a few of these numbers.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cxlab.data.sample.commerce import Commerce
from cxlab.data.sample.feelings import Feelings
from cxlab.data.sample.initiatives import INITIATIVES, Initiative
from cxlab.data.sample.kinds import SEGMENTS, Segment
from cxlab.data.sample.touchpoints import TRANSITIONS
from cxlab.errors import ParameterError, did_you_mean

__all__ = ["VARIANTS", "Company", "Variant", "company"]

Variant = Literal["base", "null", "drift", "tiny", "misspecified", "hostile"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

BRAND = "Tepi Senja Coffee"
TIME_ZONE = "Asia/Jakarta"  # UTC+7 all year round
AHEAD_HOURS = 7
LOG_STARTS = datetime(2023, 9, 30, 17)  # 1 October 2023 in Jakarta, as UTC
LOG_ENDS = datetime(2026, 9, 30, 17)  # twelve quarters later
EXPORTED_AT = datetime(2026, 10, 5, 20)  # when the systems handed over their data
QUARTERS = 12

# Regions are cities; the last one is a branch abroad, where clocks are changed.
REGIONS = (
    "Jakarta Pusat", "Jakarta Selatan", "Jakarta Barat", "Jakarta Timur", "Bogor", "Depok",
    "Tangerang", "Bekasi", "Bandung", "Cirebon", "Semarang", "Solo", "Yogyakarta", "Surabaya",
    "Malang", "Denpasar", "Mataram", "Medan", "Padang", "Pekanbaru", "Palembang", "Makassar",
    "Manado", "Balikpapan", "Amsterdam",
)  # fmt: skip
REGION_SHARES = np.array(
    [8, 9, 6, 6, 4, 4, 5, 5, 8, 2, 4, 3, 5, 8, 3, 4, 1.5, 4, 1.5, 1.5, 2, 3, 1, 1.5, 1]
)
REGION_SHARES = REGION_SHARES / REGION_SHARES.sum()

DRIVERS = ("delivery", "quality", "price", "staff", "ease")
PERSONALITY = ("sincerity", "excitement", "competence", "sophistication", "ruggedness")
# What five calls of a cause do to the log hazard that a subscription is ended by the customer.
HAZARD_CAUSES = ("late_deliveries", "slow_resolution", "stock_outs", "price_rise", "attachment")
PURPOSES = ("service", "analytics", "research", "marketing")


@dataclass(frozen=True, kw_only=True)
class Company:
    """Everything that is true of the company; a variant changes a few of these numbers.

    Attributes
    ----------
    hazard : dict
        Log-hazard coefficients of a customer's own end of a subscription, per unit of
        `HAZARD_CAUSES`: deliveries late in the last 90 days, tickets slow in the last
        90 days, stock-outs in the last 90 days, a price rise in the last 60 days,
        attachment in standard deviations.
    drivers : dict
        Weight of each driver (a standard normal rating) in latent satisfaction.
    late_pain : float
        Change of latent satisfaction by a late delivery.
    feelings : Feelings
        How feelings come about and become answers.
    thresholds : tuple
        Cut points of latent satisfaction between the five marks.
    response : dict
        Log odds of answering an invitation: base, by contact with the company in the last
        30 days, and by latent satisfaction (not at random where it is not 0).
    commerce : Commerce
        What is true of buying, delivering, subscribing and collecting points.
    spend_with_rate : float
        Correlation of the normal scores of a customer's mean spend and purchase rate,
        within a latent segment; 0 in gamma-gamma.
    hazard_turn : float
        Factor on the coefficient of late deliveries after the sixth month; 1 is
        proportional.
    memory : float
        Share of steps in a journey that go back to the touchpoint before the last one;
        0 is first order.
    habit : float
        Share of purchases that no journey leads to: out of habit. The others have one.
    drift : float
        How far the transitions have moved from `TRANSITIONS` towards newer channels in
        the last quarter, 0 to 1; linear over the quarters.
    consent : dict
        Log odds that a person who was asked allows each purpose, by latent segment and per
        standard deviation of the log purchase rate; `region` is the standard deviation
        between regions. `never_asked` and `withdrawn` (of grants, later) are shares.
    known_to_crm, known_twice, erased : float
        Shares of people with a CRM record, with a second one, who asked to be forgotten.
    quotes_lost : float
        Mean number of quotes that an office asks for and does not accept.
    price_kept : float
        Share of quotes whose price was charged.
    """

    variant: Variant = "base"
    segments: tuple[Segment, ...] = SEGMENTS
    transitions: NDArray[np.float64] = field(default_factory=TRANSITIONS.copy)
    initiatives: tuple[Initiative, ...] = INITIATIVES
    hazard: dict[str, float] = field(
        default_factory=lambda: {
            "late_deliveries": 0.35,
            "slow_resolution": 0.45,
            "stock_outs": 0.25,
            "price_rise": 0.50,
            "attachment": -0.40,
        }
    )
    drivers: dict[str, float] = field(
        default_factory=lambda: {
            "delivery": 0.20,
            "quality": 0.45,
            "price": 0.15,
            "staff": 0.35,
            "ease": 0.25,
        }
    )
    late_share: float = 0.12  # of deliveries, where nothing else acts
    # Log odds that are added in each quarter: in the last one a port stood still for weeks.
    hard_times: tuple[float, ...] = (0.0,) * (QUARTERS - 1) + (0.8,)
    late_pain: float = -0.9
    service_pain: float = -0.35  # of a ticket that was solved slowly
    feelings: Feelings = field(default_factory=Feelings)
    thresholds: tuple[float, float, float, float] = (-1.6, -1.0, -0.45, 0.55)
    response: dict[str, float] = field(
        default_factory=lambda: {"base": -0.9, "recent_contact": 0.4, "satisfaction": 0.0}
    )
    intended: dict[str, float] = field(  # brand personality, 1 to 5
        default_factory=lambda: {
            "sincerity": 4.5,
            "excitement": 4.0,
            "competence": 4.2,
            "sophistication": 3.0,
            "ruggedness": 2.5,
        }
    )
    perceived: dict[str, float] = field(
        default_factory=lambda: {
            "sincerity": 4.1,
            "excitement": 3.3,
            "competence": 3.6,
            "sophistication": 3.1,
            "ruggedness": 2.4,
        }
    )
    emotion: dict[str, float] = field(  # mean valence at a touchpoint, -1 to 1
        default_factory=lambda: {
            "tv spot": 0.05,
            "brochure": 0.0,
            "search": -0.05,
            "social post": 0.15,
            "newsletter": 0.0,
            "web shop": 0.1,
            "marketplace page": -0.05,
            "shop visit": 0.45,
            "tasting event": 0.6,
            "delivery": 0.2,
            "service desk": -0.3,
        }
    )
    commerce: Commerce = field(default_factory=Commerce)
    spend_with_rate: float = 0.0
    hazard_turn: float = 1.0
    memory: float = 0.0
    habit: float = 0.5
    drift: float = 0.0
    consent: dict[str, float] = field(
        default_factory=lambda: {
            "service": 3.0,
            "analytics": 1.6,
            "research": 0.7,
            "marketing": 0.4,
            "ritualist": 0.3,
            "explorer": 0.0,
            "bargain hunter": -0.3,
            "office": 0.2,
            "rate": 0.35,
            "region": 0.3,
            "never_asked": 0.04,
            "withdrawn": 0.07,
        }
    )
    known_to_crm: float = 0.92
    known_twice: float = 0.06
    erased: float = 0.0007
    quotes_lost: float = 0.8
    price_kept: float = 0.95

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each latent segment."""
        return np.array([s.share for s in self.segments])

    def initiative(self, acts_on: str) -> tuple[int, Initiative] | None:
        """Return the initiative that truly acts on something, and its place; None without one."""
        for place, initiative in enumerate(self.initiatives):
            if initiative.acts_on == acts_on and initiative.effect:
                return place, initiative
        return None


def company(variant: str = "base") -> Company:
    """Return the company in one of its variants.

    In the null company nothing has an effect on satisfaction, effort, answers or endings. What
    follows from the matter itself stays: who waits for a parcel asks for it, sends it back
    and writes of it, and kinds of customers and regions differ.

    Raises
    ------
    ParameterError
        If there is no such variant.
    """
    base = Company()
    if variant == "null":
        nothing = tuple(replace(i, acts_on="", effect=0.0) for i in base.initiatives)
        return replace(
            base,
            variant="null",
            initiatives=nothing,
            hazard=dict.fromkeys(base.hazard, 0.0),
            drivers=dict.fromkeys(base.drivers, 0.0),
            late_pain=0.0,
            service_pain=0.0,
            hard_times=(0.0,) * QUARTERS,
            perceived=base.intended,
            emotion=dict.fromkeys(base.emotion, 0.0),
            feelings=replace(base.feelings, attachment_mood=0.0, effort_ease=0.0),
            response={**base.response, "recent_contact": 0.0},
        )
    if variant == "drift":
        return replace(base, variant="drift", drift=0.6)
    if variant == "misspecified":
        response = {**base.response, "satisfaction": 0.5}
        return replace(
            base, variant="misspecified", spend_with_rate=0.5, hazard_turn=0.0, memory=0.35,
            response=response,
        )  # fmt: skip
    for known in VARIANTS:
        if known == variant:
            return replace(base, variant=known)
    raise ParameterError(
        f"variant must be one of {list(VARIANTS)}, but is {variant!r}."
        f"{did_you_mean(variant, VARIANTS)}"
    )
