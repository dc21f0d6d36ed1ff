"""What are they worth? Sales of a cycle and their change."""

from cxlab.loyalty.sales import Sales, sales

__all__ = ["Sales", "sales"]
