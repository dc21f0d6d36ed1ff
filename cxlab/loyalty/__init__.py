"""What are they worth? Sales and their change, who comes back, buys more, and is loyal."""

from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.cross_sell import CrossSell, cross_sell
from cxlab.loyalty.ladder import Ladder, ladder
from cxlab.loyalty.sales import Sales, sales, standing

__all__ = [
    "Cohorts",
    "CrossSell",
    "Ladder",
    "Sales",
    "cohorts",
    "cross_sell",
    "ladder",
    "sales",
    "standing",
]
