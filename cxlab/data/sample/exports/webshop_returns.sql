-- part: webshop/returns.csv
-- Parcels that come back, from all channels, are taken in by the web shop's people.
select
    'RT' || r.return as rma,
    n.ref as order_ref,
    strftime(r.requested_at, '%Y-%m-%dT%H:%M:%SZ') as requested,
    r.reason as why,
    case when r.resolved_at is not null then printf('%d.00', r.refund_amount) end as refund,
    strftime(r.resolved_at, '%Y-%m-%dT%H:%M:%SZ') as closed
from returns as r
join numbered as n using ("order")
order by r.return
