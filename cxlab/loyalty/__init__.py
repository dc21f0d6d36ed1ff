"""What are they worth? Sales of a cycle and their change, who comes back, who buys more."""

from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.cross_sell import CrossSell, cross_sell
from cxlab.loyalty.sales import Sales, sales, standing

__all__ = ["Cohorts", "CrossSell", "Sales", "cohorts", "cross_sell", "sales", "standing"]
