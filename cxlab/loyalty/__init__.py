"""What are they worth? Sales, who comes back, and where revenue came from and went."""

from cxlab.loyalty.bridge import Bridge, order_bridge, recurring_bridge
from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.sales import Sales, sales, standing

__all__ = [
    "Bridge",
    "Cohorts",
    "Sales",
    "cohorts",
    "order_bridge",
    "recurring_bridge",
    "sales",
    "standing",
]
