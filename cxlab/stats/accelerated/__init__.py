"""How covariates stretch the time to the event: accelerated failure times, from counts."""

from cxlab.stats.accelerated.fit import accelerated
from cxlab.stats.accelerated.likelihood import Distribution
from cxlab.stats.accelerated.result import AcceleratedFit

__all__ = ["AcceleratedFit", "Distribution", "accelerated"]
