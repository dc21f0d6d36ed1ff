"""What do customers feel, and where do they feel it?"""

from cxlab.emotion.touchpoints import Felt, felt

__all__ = ["Felt", "felt"]
