-- Only reviews with text are comments.
select
    response_id as comment_id,
    person_id as customer_id,
    answered_at as written_at,
    'review' as origin,
    concat_ws(': ', nullif(trim(title), ''), nullif(trim(message), '')) as text,
    'pt' as language,
    score as rating,
    1 as scale_min,
    5 as scale_max,
    'delivery' as touchpoint,
    order_id,
    'reviews' as source,
    excluded_by
from _reviews
where nullif(trim(title), '') is not null or nullif(trim(message), '') is not null
