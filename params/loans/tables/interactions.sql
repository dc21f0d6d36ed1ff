select
    application_id || '/' || event_no as interaction_id,
    application_id as customer_id,
    occurred_at,
    activity,
    touchpoint,
    stage,
    channel,
    'application' as object_type,
    application_id as object_id,
    duration_s,
    wait_s,
    handled_by,
    'loan system' as source
from _events
