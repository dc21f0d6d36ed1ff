"""Proportional hazards from counts: who leaves sooner, and by how much (Cox 1972)."""

from cxlab.stats.cox.absolute import absolute_risk
from cxlab.stats.cox.baseline import cumulative_hazard, log_hazard, predicted_survival
from cxlab.stats.cox.exact import ExactCox, exact_cox
from cxlab.stats.cox.fit import cox
from cxlab.stats.cox.penalised import PenalisedCox, penalised_cox
from cxlab.stats.cox.periods import cox_by_period, period_name
from cxlab.stats.cox.proportional import ProportionalHazards, proportional_hazards
from cxlab.stats.cox.result import CoxFit

__all__ = [
    "CoxFit",
    "ExactCox",
    "PenalisedCox",
    "ProportionalHazards",
    "absolute_risk",
    "cox",
    "cox_by_period",
    "cumulative_hazard",
    "exact_cox",
    "log_hazard",
    "penalised_cox",
    "period_name",
    "predicted_survival",
    "proportional_hazards",
]
