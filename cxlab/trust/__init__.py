"""What does this report stand on: which rows, how fresh, defined and computed how?"""

from cxlab.trust.accounts import Reasons, Rows, reasons, rows
from cxlab.trust.inputs import Freshness, Sources, freshness, sources
from cxlab.trust.listing import Listing
from cxlab.trust.methods import methods
from cxlab.trust.terms import definitions, glossary, kpis

__all__ = [
    "Freshness",
    "Listing",
    "Reasons",
    "Rows",
    "Sources",
    "definitions",
    "freshness",
    "glossary",
    "kpis",
    "methods",
    "reasons",
    "rows",
    "sources",
]
