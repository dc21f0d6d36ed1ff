"""Who stays, who leaves, when, and of whose will?"""

from cxlab.churn.rate import ChurnRate, churn_rate
from cxlab.churn.retention import Retention, retention

__all__ = ["ChurnRate", "Retention", "churn_rate", "retention"]
