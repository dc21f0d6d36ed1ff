-- part: crm/Promises.csv
-- Promises as the order desk wrote them down: the day of delivery, and that goods are there.
select
    'PR' || m.promise as PromiseNo,
    k.email_hash as ContactKey,
    n.ref as OrderNo,
    m.kind as PromiseKind,
    strftime(m.promised_at, '%Y-%m-%dT%H:%M:%SZ') as PromisedAt,
    strftime(m.promised_on, '%Y-%m-%d') as PromisedDay,
    strftime(m.revised_on, '%Y-%m-%d') as RevisedDay,
    strftime(m.actual_on, '%Y-%m-%d') as ActualDay,
    strftime(d.delivered_at, '%Y-%m-%dT%H:%M:%SZ') as ResolvedAt,
    case m.kept when 1 then 'kept' when 0 then 'broken' end as Outcome,
    case m.kind when 'delivery_date' then d.carrier::varchar else 'warehouse' end as Owner
from promises as m
join numbered as n using ("order")
join known as k on m.person = k.person
left join deliveries as d using ("order")
where m.kind in ('delivery_date', 'availability')
order by m.promise
