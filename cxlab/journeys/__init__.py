"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.funnel_settings import Exclusion, Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.attribution import Attribution, attribution
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys
from cxlab.journeys.chosen_funnel import chosen_funnel
from cxlab.journeys.coverage import Contacts, contacts
from cxlab.journeys.dead_ends import DeadEnds, Loops, dead_ends, loops
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
from cxlab.journeys.steps import Flow, StepMatrix, flow, step_matrix
from cxlab.journeys.timeline import Timeline, timeline
from cxlab.journeys.transitions import Transitions, transitions
from cxlab.journeys.variants import Variants, variants

__all__ = [
    "Attribution",
    "Contacts",
    "DeadEnds",
    "Drift",
    "Exclusion",
    "Fitness",
    "Flow",
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
    "Loops",
    "Sessions",
    "Step",
    "StepMatrix",
    "TimeToConvert",
    "Timeline",
    "Transitions",
    "Variants",
    "attribution",
    "chosen_funnel",
    "contacts",
    "count_funnel",
    "dead_ends",
    "drift",
    "fitness",
    "flow",
    "friction",
    "funnel",
    "funnel_change",
    "funnel_split",
    "iceberg",
    "journey_map",
    "journeys_of",
    "loops",
    "sessions",
    "split_journeys",
    "split_sessions",
    "step_matrix",
    "time_to_convert",
    "timeline",
    "touchpoints_by_stage",
    "transitions",
    "variants",
]
