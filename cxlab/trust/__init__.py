"""What a report stands on: which rows, how fresh, and how defined and computed."""

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
