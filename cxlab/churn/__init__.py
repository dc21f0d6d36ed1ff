"""Who stays, who leaves, when, and of whose will?"""

from cxlab.churn.rate import ChurnRate, churn_rate

__all__ = ["ChurnRate", "churn_rate"]
