select
    response_id,
    'review_score' as question,
    person_id as customer_id,
    'order review' as survey,
    answered_at,
    'csat' as construct,
    score as value,
    1 as scale_min,
    5 as scale_max,
    'delivery' as touchpoint,
    order_id,
    'reviews' as source,
    excluded_by
from _reviews
