"""What are they worth? Sales, who comes back, and where revenue came from and went."""

from cxlab.loyalty.bridge import Bridge, order_bridge, recurring_bridge
from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.lifetime_value import LifetimeValue, lifetime_value
from cxlab.loyalty.outlook import Outlook, still_buying
from cxlab.loyalty.repeat_buying import RepeatPurchases, repeat_buying
from cxlab.loyalty.sales import Sales, sales, standing

__all__ = [
    "Bridge",
    "Cohorts",
    "LifetimeValue",
    "Outlook",
    "RepeatPurchases",
    "Sales",
    "cohorts",
    "lifetime_value",
    "order_bridge",
    "recurring_bridge",
    "repeat_buying",
    "sales",
    "standing",
    "still_buying",
]
