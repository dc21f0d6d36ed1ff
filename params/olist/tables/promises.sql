-- The delivery date promised at purchase, kept if the order arrived by the end of that day.
select
    o.order_id || '/delivery' as promise_id,
    o.person_id as customer_id,
    'delivery_date' as kind,
    'order' as object_type,
    o.order_id as object_id,
    o.order_purchase_timestamp as promised_at,
    strftime(o.order_estimated_delivery_date, '%Y-%m-%d') as promised_value,
    -- The last second of the promised day, so that it belongs to the cycle of that day.
    o.order_estimated_delivery_date::date + interval 1 day - interval 1 second as due_at,
    o.order_delivered_customer_date as resolved_at,
    strftime(o.order_delivered_customer_date, '%Y-%m-%d') as actual_value,
    o.order_delivered_customer_date::date <= o.order_estimated_delivery_date::date as kept,
    'sellers in ' || i.seller_state as owner,
    'logistics' as source,
    coalesce(
        o.excluded_by,
        case when o.is_cancelled then 'cancelled order: nothing was to be delivered' end
    ) as excluded_by
from _orders as o
left join _items as i using (order_id)
