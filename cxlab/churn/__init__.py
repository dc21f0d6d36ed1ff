"""Who stays, who leaves, when, and of whose will?"""

from cxlab.churn.causes import LeavingCauses, leaving_causes
from cxlab.churn.drivers import ChurnDrivers, churn_drivers
from cxlab.churn.rate import ChurnRate, churn_rate
from cxlab.churn.retention import Retention, retention
from cxlab.churn.retention_difference import RetentionDifference, retention_difference
from cxlab.churn.signals import signals

__all__ = [
    "ChurnDrivers",
    "ChurnRate",
    "LeavingCauses",
    "Retention",
    "RetentionDifference",
    "churn_drivers",
    "churn_rate",
    "leaving_causes",
    "retention",
    "retention_difference",
    "signals",
]
