"""What a report stands on: which rows, how fresh, and how defined and computed."""

from cxlab.trust.accounts import Reasons, Rows, reasons, rows
from cxlab.trust.consent import Seen, seen
from cxlab.trust.consent_bias import consent_bias
from cxlab.trust.consent_flow import ConsentFlow, consent_flow
from cxlab.trust.consent_shown import ConsentBias, ConsentGroups
from cxlab.trust.identity import Identities, IdentityTruth, identities, identity_truth
from cxlab.trust.inputs import Freshness, Sources, freshness, sources
from cxlab.trust.listing import Listing
from cxlab.trust.masked import Masked, masked
from cxlab.trust.methods import methods
from cxlab.trust.quality import QualityMatrix, quality
from cxlab.trust.register import kpis
from cxlab.trust.suppression import suppression
from cxlab.trust.terms import definitions, glossary

__all__ = [
    "ConsentBias",
    "ConsentFlow",
    "ConsentGroups",
    "Freshness",
    "Identities",
    "IdentityTruth",
    "Listing",
    "Masked",
    "QualityMatrix",
    "Reasons",
    "Rows",
    "Seen",
    "Sources",
    "consent_bias",
    "consent_flow",
    "definitions",
    "freshness",
    "glossary",
    "identities",
    "identity_truth",
    "kpis",
    "masked",
    "methods",
    "quality",
    "reasons",
    "rows",
    "seen",
    "sources",
    "suppression",
]
