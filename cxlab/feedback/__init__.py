"""What do customers tell us: ratings, their change, and how sure we are."""

from cxlab.feedback.ratings import ces, csat, nps
from cxlab.feedback.result import Rating

__all__ = ["Rating", "ces", "csat", "nps"]
