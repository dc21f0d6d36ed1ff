"""Who are they? Segments by value, lifecycle and declared rules, and how they change."""

from cxlab.segments.rfm import Rfm, rfm

__all__ = ["Rfm", "rfm"]
