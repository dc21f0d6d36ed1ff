"""What do customers feel, and where do they feel it?"""

from cxlab.emotion.lane import feelings
from cxlab.emotion.touchpoints import Felt, felt
from cxlab.emotion.valences import valences

__all__ = ["Felt", "feelings", "felt", "valences"]
