"""What a customer base will do, from counts of what it did: purchases, renewals, spend, value."""

from cxlab.stats.customer_base.patterns import Histories, histories
from cxlab.stats.customer_base.repeat_buying import RepeatBuying, fit_repeat_buying
from cxlab.stats.customer_base.retention import Retention, fit_retention

__all__ = [
    "Histories",
    "RepeatBuying",
    "Retention",
    "fit_repeat_buying",
    "fit_retention",
    "histories",
]
