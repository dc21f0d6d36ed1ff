"""Who stays, who leaves, when, and of whose will?"""

from cxlab.churn.causes import LeavingCauses, leaving_causes
from cxlab.churn.rate import ChurnRate, churn_rate
from cxlab.churn.retention import Retention, retention
from cxlab.churn.retention_difference import RetentionDifference, retention_difference

__all__ = [
    "ChurnRate",
    "LeavingCauses",
    "Retention",
    "RetentionDifference",
    "churn_rate",
    "leaving_causes",
    "retention",
    "retention_difference",
]
