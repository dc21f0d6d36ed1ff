select
    application_id as customer_id,
    min(registered_at) as first_seen_at,
    'person' as party,
    min(requested_amount) as requested_amount,
    'loan system' as source
from _events
group by application_id
