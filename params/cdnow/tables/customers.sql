select
    customer_id,
    min(placed_at) as first_seen_at,
    'person' as party,
    'shop' as source
from _purchases
group by customer_id
