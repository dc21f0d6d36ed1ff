"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.funnel_settings import Exclusion, Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys
from cxlab.journeys.chosen_funnel import chosen_funnel
from cxlab.journeys.coverage import Contacts, contacts
from cxlab.journeys.drift import Drift, drift
from cxlab.journeys.friction import Friction, friction
from cxlab.journeys.funnel_changes import FunnelChange, funnel_change
from cxlab.journeys.funnel_counts import FunnelCounts, count_funnel
from cxlab.journeys.funnel_split import FunnelSplit, funnel_split
from cxlab.journeys.funnel_times import TimeToConvert, time_to_convert
from cxlab.journeys.funnels import FunnelResult, funnel
from cxlab.journeys.iceberg import Iceberg, iceberg
from cxlab.journeys.map import JourneyMap, journey_map, touchpoints_by_stage
from cxlab.journeys.planned import Fitness, fitness
from cxlab.journeys.session_rows import split_sessions
from cxlab.journeys.sessions import Sessions, sessions
from cxlab.journeys.timeline import Timeline, timeline

__all__ = [
    "Contacts",
    "Drift",
    "Exclusion",
    "Fitness",
    "Friction",
    "Funnel",
    "FunnelChange",
    "FunnelCounts",
    "FunnelResult",
    "FunnelSplit",
    "Iceberg",
    "JourneyMap",
    "JourneySettings",
    "Journeys",
    "Sessions",
    "Step",
    "TimeToConvert",
    "Timeline",
    "chosen_funnel",
    "contacts",
    "count_funnel",
    "drift",
    "fitness",
    "friction",
    "funnel",
    "funnel_change",
    "funnel_split",
    "iceberg",
    "journey_map",
    "journeys_of",
    "sessions",
    "split_journeys",
    "split_sessions",
    "time_to_convert",
    "timeline",
    "touchpoints_by_stage",
]
