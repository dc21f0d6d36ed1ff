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
    -- As the segments of the settings have it, so that the funnel can be compared by it.
    case
        when requested_amount < 10000 then 'below 10,000 euro'
        when requested_amount < 20000 then '10,000 to 20,000 euro'
        when requested_amount >= 20000 then '20,000 euro and more'
    end as amount_asked,
    'loan system' as source
from _events
