-- What was bought. A status that changes later needs status_at: until that moment the
-- order reads as placed, so that an old cycle is reported as it was known then.
select
    o.order_id,
    o.customer_id,
    o.placed_at,
    'web' as channel,
    case
        when o.is_cancelled then 'cancelled'
        when d.delivered_moment is not null then 'fulfilled'
        else 'paid'
    end as status,
    -- The source does not say when an order was cancelled, so that is known at once.
    case when not o.is_cancelled then d.delivered_moment end as status_at,
    o.net_amount,
    o.shipping_amount,
    'shop' as source,
    o.excluded_by
from _orders as o
left join _deliveries as d using (order_id)
