-- The life of an order as the customer meets it, one row per step that happened.
with steps as (
    select order_id as object_id, person_id, excluded_by, 'placed' as activity,
        'purchase' as stage, 'checkout' as touchpoint, order_purchase_timestamp as occurred_at
    from _orders
    union all
    select order_id, person_id, excluded_by, 'approved', 'purchase', 'payment', order_approved_at
    from _orders
    union all
    select order_id, person_id, excluded_by, 'handed over', 'delivery', 'delivery',
        order_delivered_carrier_date
    from _orders
    union all
    select order_id, person_id, excluded_by, 'delivered', 'delivery', 'delivery',
        order_delivered_customer_date
    from _orders
    union all
    select response_id, person_id, excluded_by, 'asked for review', 'after sales', 'e-mail', asked_at
    from _reviews
    union all
    select response_id, person_id, excluded_by, 'reviewed', 'after sales', 'review form', answered_at
    from _reviews
)
select
    object_id || '/' || activity as interaction_id,
    person_id as customer_id,
    occurred_at,
    activity,
    touchpoint,
    stage,
    case when touchpoint in ('delivery', 'e-mail') then touchpoint
        else 'web' end as channel,
    'order' as object_type,
    split_part(object_id, '/', -1) as object_id,
    'shop' as source,
    excluded_by
from steps
where occurred_at is not null
