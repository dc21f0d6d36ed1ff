"""Disclosure control: no published number tells of few people, or of one large customer.

A cell with fewer people than `min_cell` is suppressed, zero included, and so is an
amount that one or two customers make up. Where cells add up to totals, more cells go
with it, until whoever solves for a withheld one finds a range that reaches up to what
could have been published.
"""

from cxlab.report.disclosure.policy import Money, Policy, is_money
from cxlab.report.disclosure.suppression import (
    RULES,
    blank,
    dimensions,
    protect,
    running,
    suppressed_cells,
    tally,
)

__all__ = [
    "RULES",
    "Money",
    "Policy",
    "blank",
    "dimensions",
    "is_money",
    "protect",
    "running",
    "suppressed_cells",
    "tally",
]
