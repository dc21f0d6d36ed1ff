-- part: tills/receipts.csv
-- Tills write their own town's clock, without an offset: abroad it is changed twice a year.
select
    n.ref as receipt,
    'T' || lpad(o.store::varchar, 3, '0') as shop,
    case
        when p.region = 'Amsterdam'
            then strftime(timezone('Europe/Amsterdam', timezone('UTC', o.placed_at)),
                '%Y-%m-%d %H:%M:%S')
        else strftime(o.placed_at + interval 7 hour, '%Y-%m-%d %H:%M:%S')
    end as local_time,
    case when p.region = 'Amsterdam' then 'NL' else 'ID' end as country,
    case when n.with_card then k.card end as card,
    case when not n.with_card then k.phone_hash end as receipt_to,
    o.status in ('cancelled') as voided,
    o.net_amount as total,
    o.discount_amount as rebate,
    case when o.quote >= 0 then 'Q' || o.quote end as quote_number,
    n.known_at as _at
from orders as o
join numbered as n using ("order")
join known as k on o.person = k.person
join people as p on o.person = p.person
where o.channel = 'store'
order by o.order
