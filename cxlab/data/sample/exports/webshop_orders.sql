-- part: webshop/orders.csv
-- The web shop and the app: UTC with a Z, amounts with two decimals; guests leave an e-mail.
with finished as (
    select o.order, coalesce(r.requested_at, d.delivered_at, o.placed_at) as at
    from orders as o
    left join deliveries as d using ("order")
    left join returns as r using ("order")
)
select
    n.ref as order_ref,
    case when n.with_login then k.login end as user_id,
    case when not n.with_login then k.email_hash end as guest_md5,
    strftime(o.placed_at, '%Y-%m-%dT%H:%M:%SZ') as ordered_at,
    n.channel as device,
    case o.status
        when 'placed' then 'new' when 'paid' then 'paid' when 'fulfilled' then 'delivered'
        when 'returned' then 'refunded' else 'cancelled'
    end as state,
    strftime(f.at, '%Y-%m-%dT%H:%M:%SZ') as state_at,
    printf('%d.00', o.net_amount) as goods_total,
    printf('%d.00', o.refund_amount) as refunded,
    printf('%d.00', o.discount_amount) as discount,
    printf('%d.00', o.shipping_amount) as shipping,
    case when o.quote >= 0 then 'Q' || o.quote end as quote_number,
    false as is_test,
    n.known_at as _at
from orders as o
join numbered as n using ("order")
join known as k on o.person = k.person
join finished as f on o.order = f.order
where o.channel in ('web', 'app')
order by o.order
