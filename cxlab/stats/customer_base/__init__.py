"""What a customer base will do, from counts of what it did: purchases, renewals, spend, value."""

from cxlab.stats.customer_base.averaged import AveragedRetention
from cxlab.stats.customer_base.cohorts import (
    CohortRetention,
    RatioTest,
    fit_cohort_renewals,
    fit_cohorts,
)
from cxlab.stats.customer_base.patterns import Histories, histories
from cxlab.stats.customer_base.repeat_buying import RepeatBuying, fit_repeat_buying
from cxlab.stats.customer_base.retention import (
    Retention,
    RetentionModel,
    fit_renewals,
    fit_retention,
)
from cxlab.stats.customer_base.spend import Independence, Spend, fit_spend, spend_independence
from cxlab.stats.customer_base.tracking import by_frequency, track
from cxlab.stats.customer_base.value import ResidualValue, residual_value

__all__ = [
    "AveragedRetention",
    "CohortRetention",
    "Histories",
    "Independence",
    "RatioTest",
    "RepeatBuying",
    "ResidualValue",
    "Retention",
    "RetentionModel",
    "Spend",
    "by_frequency",
    "fit_cohort_renewals",
    "fit_cohorts",
    "fit_renewals",
    "fit_repeat_buying",
    "fit_retention",
    "fit_spend",
    "histories",
    "residual_value",
    "spend_independence",
    "track",
]
