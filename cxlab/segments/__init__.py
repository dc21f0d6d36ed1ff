"""Who are they? Segments by value, lifecycle and declared rules, and how they change."""

from cxlab.segments.declared import DeclaredSegments, DeclaredSets, declared, declared_sets
from cxlab.segments.lifecycle import LifecycleStates, StateFlows, states
from cxlab.segments.rfm import Rfm, rfm

__all__ = [
    "DeclaredSegments",
    "DeclaredSets",
    "LifecycleStates",
    "Rfm",
    "StateFlows",
    "declared",
    "declared_sets",
    "rfm",
    "states",
]
