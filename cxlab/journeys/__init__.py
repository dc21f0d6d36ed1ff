"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.funnel_settings import Exclusion, Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys
from cxlab.journeys.funnel_counts import FunnelCounts, count_funnel
from cxlab.journeys.map import JourneyMap, journey_map, touchpoints_by_stage
from cxlab.journeys.planned import Fitness, fitness
from cxlab.journeys.timeline import Timeline, timeline

__all__ = [
    "Exclusion",
    "Fitness",
    "Funnel",
    "FunnelCounts",
    "JourneyMap",
    "JourneySettings",
    "Journeys",
    "Step",
    "Timeline",
    "count_funnel",
    "fitness",
    "journey_map",
    "journeys_of",
    "split_journeys",
    "timeline",
    "touchpoints_by_stage",
]
