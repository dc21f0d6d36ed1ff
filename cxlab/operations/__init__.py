"""What we promised, what we kept of it, and what goes with a promise broken."""

from cxlab.operations.dose import DoseResponse, dose_response
from cxlab.operations.lateness import Lateness, lateness
from cxlab.operations.promises import KeptPromises, kept, on_time_in_full
from cxlab.operations.repurchase import Repurchase, repurchase_by_lateness

__all__ = [
    "DoseResponse",
    "KeptPromises",
    "Lateness",
    "Repurchase",
    "dose_response",
    "kept",
    "lateness",
    "on_time_in_full",
    "repurchase_by_lateness",
]
