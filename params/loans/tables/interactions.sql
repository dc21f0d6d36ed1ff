select
    application_id || '/' || event_no as interaction_id,
    application_id as customer_id,
    occurred_at,
    activity,
    case when is_call then 'phone call' end as touchpoint,
    stage,
    case when is_call then 'phone' end as channel,
    'application' as object_type,
    application_id as object_id,
    handled_by,
    'loan system' as source
from _events
