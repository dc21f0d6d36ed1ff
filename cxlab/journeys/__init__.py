"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.funnel_settings import Exclusion, Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys
from cxlab.journeys.funnel_changes import FunnelChange, funnel_change
from cxlab.journeys.funnel_counts import FunnelCounts, count_funnel
from cxlab.journeys.funnel_split import FunnelSplit, funnel_split
from cxlab.journeys.funnel_times import TimeToConvert, time_to_convert
from cxlab.journeys.funnels import FunnelResult, funnel
from cxlab.journeys.map import JourneyMap, journey_map, touchpoints_by_stage
from cxlab.journeys.planned import Fitness, fitness
from cxlab.journeys.timeline import Timeline, timeline

__all__ = [
    "Exclusion",
    "Fitness",
    "Funnel",
    "FunnelChange",
    "FunnelCounts",
    "FunnelResult",
    "FunnelSplit",
    "JourneyMap",
    "JourneySettings",
    "Journeys",
    "Step",
    "TimeToConvert",
    "Timeline",
    "count_funnel",
    "fitness",
    "funnel",
    "funnel_change",
    "funnel_split",
    "journey_map",
    "journeys_of",
    "split_journeys",
    "time_to_convert",
    "timeline",
    "touchpoints_by_stage",
]
