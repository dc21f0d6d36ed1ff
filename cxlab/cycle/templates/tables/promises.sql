-- What was promised to whom, by when, and whether it was kept. A promise not resolved after
-- due_at is broken; here that is the last second of the promised day, so that the promise
-- belongs to the cycle of that day. resolved_at is the moment from which the outcome is known.
select
    order_id || '/delivery' as promise_id,
    customer_id,
    'delivery_date' as kind,
    'order' as object_type,
    order_id as object_id,
    placed_at as promised_at,
    promised_on as promised_value,
    coalesce(
        strftime(promised_day + interval 1 day - interval 1 second, '%Y-%m-%d %H:%M:%S'),
        promised_on
    ) as due_at,
    delivered_at as resolved_at,
    strftime(delivered_moment, '%Y-%m-%d') as actual_value,
    delivered_moment::date <= promised_day as kept,
    carrier as owner,
    'carrier' as source,
    excluded_by
from _deliveries
