"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys
from cxlab.journeys.map import JourneyMap, journey_map, touchpoints_by_stage
from cxlab.journeys.planned import Fitness, fitness
from cxlab.journeys.timeline import Timeline, timeline

__all__ = [
    "Fitness",
    "JourneyMap",
    "JourneySettings",
    "Journeys",
    "Timeline",
    "fitness",
    "journey_map",
    "journeys_of",
    "split_journeys",
    "timeline",
    "touchpoints_by_stage",
]
