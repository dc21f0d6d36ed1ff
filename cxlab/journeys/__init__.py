"""What do customers do, from the first contact to the last, and where do they turn away?"""

from cxlab.data.funnel_settings import Exclusion, Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys, journeys_of, split_journeys
from cxlab.journeys.funnels.changes import FunnelChange, funnel_change
from cxlab.journeys.funnels.chosen import chosen_funnel
from cxlab.journeys.funnels.counts import FunnelCounts, count_funnel
from cxlab.journeys.funnels.funnel import FunnelResult, funnel
from cxlab.journeys.funnels.split import FunnelSplit, funnel_split
from cxlab.journeys.funnels.times import TimeToConvert, time_to_convert
from cxlab.journeys.limits.drift import Drift, drift, drifts
from cxlab.journeys.limits.iceberg import Iceberg, iceberg
from cxlab.journeys.log.coverage import Contacts, contacts
from cxlab.journeys.log.friction import Friction, friction
from cxlab.journeys.log.handling import Handling, handling
from cxlab.journeys.log.session_rows import split_sessions
from cxlab.journeys.log.sessions import Sessions, sessions
from cxlab.journeys.maps.journey_map import JourneyMap, journey_map, touchpoints_by_stage
from cxlab.journeys.maps.personas import personas
from cxlab.journeys.maps.planned import Fitness, fitness
from cxlab.journeys.maps.timeline import Timeline, timeline
from cxlab.journeys.paths.attribution import Attribution, attribution
from cxlab.journeys.paths.dead_ends import DeadEnds, Loops, dead_ends, loops
from cxlab.journeys.paths.steps import Flow, StepMatrix, flow, step_matrix
from cxlab.journeys.paths.transitions import Transitions, transitions
from cxlab.journeys.paths.variants import Variants, variants

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
    "Handling",
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
    "drifts",
    "fitness",
    "flow",
    "friction",
    "funnel",
    "funnel_change",
    "funnel_split",
    "handling",
    "iceberg",
    "journey_map",
    "journeys_of",
    "loops",
    "personas",
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
