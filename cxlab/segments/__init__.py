"""Who are they? Segments by value, lifecycle and declared rules, and how they change."""

from cxlab.segments.attribute import attribute
from cxlab.segments.base import CustomerBase, base
from cxlab.segments.comparison import compare
from cxlab.segments.contrast import Comparison
from cxlab.segments.declared import DeclaredSegments, DeclaredSets, declared, declared_sets
from cxlab.segments.grouping import grouping
from cxlab.segments.lifecycle import LifecycleStates, StateFlows, states
from cxlab.segments.migration import Migration, migration
from cxlab.segments.rfm import Rfm, rfm

__all__ = [
    "Comparison",
    "CustomerBase",
    "DeclaredSegments",
    "DeclaredSets",
    "LifecycleStates",
    "Migration",
    "Rfm",
    "StateFlows",
    "attribute",
    "base",
    "compare",
    "declared",
    "declared_sets",
    "grouping",
    "migration",
    "rfm",
    "states",
]
