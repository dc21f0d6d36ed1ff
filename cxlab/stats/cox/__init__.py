"""Proportional hazards from counts: who leaves sooner, and by how much (Cox 1972)."""

from cxlab.stats.cox.baseline import cumulative_hazard, predicted_survival
from cxlab.stats.cox.fit import cox
from cxlab.stats.cox.result import CoxFit

__all__ = ["CoxFit", "cox", "cumulative_hazard", "predicted_survival"]
