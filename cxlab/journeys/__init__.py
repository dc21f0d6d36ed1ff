"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys

__all__ = ["JourneySettings", "Journeys", "journeys_of", "split_journeys"]
