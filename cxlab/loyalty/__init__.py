"""What are they worth? Sales of a cycle and their change, and who comes back."""

from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.sales import Sales, sales, standing

__all__ = ["Cohorts", "Sales", "cohorts", "sales", "standing"]
