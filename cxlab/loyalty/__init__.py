"""What are they worth? Sales of a cycle and their change."""

from cxlab.loyalty.sales import Sales, sales, standing

__all__ = ["Sales", "sales", "standing"]
