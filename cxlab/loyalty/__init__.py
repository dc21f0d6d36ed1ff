"""What are they worth? Sales and their change, who comes back, buys more, and is loyal."""

from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.ladder import Ladder, ladder
from cxlab.loyalty.sales import Sales, sales, standing

__all__ = [
    "Cohorts",
    "Ladder",
    "Sales",
    "cohorts",
    "ladder",
    "sales",
    "standing",
]
