select
    o.order_id,
    o.person_id as customer_id,
    o.order_purchase_timestamp as placed_at,
    'marketplace' as channel,
    case
        when o.order_status = 'delivered' then 'fulfilled'
        when o.is_cancelled then 'cancelled'
        when o.order_status = 'created' then 'placed'
        else 'paid'
    end as status,
    -- The source does not say when an order was cancelled, so a cancellation is known at once.
    case
        when o.order_status = 'delivered' then o.order_delivered_customer_date
        when not o.is_cancelled and o.order_status <> 'created' then o.order_approved_at
    end as status_at,
    -- Nothing is sold by an order that was cancelled or could not be served.
    case when o.is_cancelled then 0 else coalesce(i.net_amount, 0) end::decimal(18, 2) as net_amount,
    i.shipping_amount,
    'shop' as source,
    o.excluded_by
from _orders as o
left join _items as i using (order_id)
