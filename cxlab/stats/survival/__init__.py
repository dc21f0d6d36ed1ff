"""When does something happen, to whom first, and how far can a prediction of it be trusted?

Everything is worked out from counts by duration, never from rows of people, and equals what
rows would give.
"""

from cxlab.stats.survival.curve import SurvivalCurve
from cxlab.stats.survival.kaplan_meier import Band, product_limit

__all__ = ["Band", "SurvivalCurve", "product_limit"]
