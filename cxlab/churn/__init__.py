"""Who stays, who leaves, when, and of whose will?"""

from cxlab.churn.at_risk import AtRisk, at_risk
from cxlab.churn.causes import LeavingCauses, leaving_causes
from cxlab.churn.drivers import ChurnDrivers, churn_drivers
from cxlab.churn.feelings import RetentionByFeeling, retention_by_feeling
from cxlab.churn.last_straw import LastStraw, last_straw
from cxlab.churn.leavers import voices
from cxlab.churn.projection import RetentionProjection, retention_projection
from cxlab.churn.projection_by_group import ProjectionByGroup, projection_by_group
from cxlab.churn.rate import ChurnRate, churn_rate
from cxlab.churn.ratios_by_age import RatiosByAge
from cxlab.churn.retention import Retention, retention
from cxlab.churn.retention_difference import RetentionDifference, retention_difference
from cxlab.churn.signals import signals
from cxlab.churn.silent import SilentLeavers, silent_leavers
from cxlab.churn.study import list_of
from cxlab.churn.validation import ChurnValidation, churn_validation

__all__ = [
    "AtRisk",
    "ChurnDrivers",
    "ChurnRate",
    "ChurnValidation",
    "LastStraw",
    "LeavingCauses",
    "ProjectionByGroup",
    "RatiosByAge",
    "Retention",
    "RetentionByFeeling",
    "RetentionDifference",
    "RetentionProjection",
    "SilentLeavers",
    "at_risk",
    "churn_drivers",
    "churn_rate",
    "churn_validation",
    "last_straw",
    "leaving_causes",
    "list_of",
    "projection_by_group",
    "retention",
    "retention_by_feeling",
    "retention_difference",
    "retention_projection",
    "signals",
    "silent_leavers",
    "voices",
]
