"""When does something happen, to whom first, and how far can a prediction of it be trusted?

Everything is worked out from counts by duration, never from rows of people, and equals what
rows would give.
"""

from cxlab.stats.survival.aalen_johansen import cumulative_incidence
from cxlab.stats.survival.auc import auc_table, dynamic_auc
from cxlab.stats.survival.brier import BrierScores, brier_scores
from cxlab.stats.survival.curve import SurvivalCurve
from cxlab.stats.survival.gray import compare_incidence
from cxlab.stats.survival.hazard import cumulative_hazard
from cxlab.stats.survival.incidence import Incidence
from cxlab.stats.survival.kaplan_meier import Band, product_limit
from cxlab.stats.survival.log_rank import LogRank, Weighting, log_rank, pairwise_log_rank
from cxlab.stats.survival.ordering import Concordance, concordance
from cxlab.stats.survival.reached import quantile_of_reached
from cxlab.stats.survival.reliability import Calibration, calibration
from cxlab.stats.survival.restricted_mean import (
    RestrictedMeans,
    compare_restricted_means,
    restricted_mean,
    restricted_mean_lost,
    share_difference,
)

__all__ = [
    "Band",
    "BrierScores",
    "Calibration",
    "Concordance",
    "Incidence",
    "LogRank",
    "RestrictedMeans",
    "SurvivalCurve",
    "Weighting",
    "auc_table",
    "brier_scores",
    "calibration",
    "compare_incidence",
    "compare_restricted_means",
    "concordance",
    "cumulative_hazard",
    "cumulative_incidence",
    "dynamic_auc",
    "log_rank",
    "pairwise_log_rank",
    "product_limit",
    "quantile_of_reached",
    "restricted_mean",
    "restricted_mean_lost",
    "share_difference",
]
