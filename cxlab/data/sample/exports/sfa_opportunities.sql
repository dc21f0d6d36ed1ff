-- part: sfa/Opportunities.csv
-- The sales force works in thousands of rupiah, and in Jakarta's time with its offset.
select
    'OP' || o.opportunity as OpptyId,
    k.email_hash as AccountKey,
    o.owner as OwnerRole,
    strftime(o.created_at + interval 7 hour, '%Y-%m-%dT%H:%M:%S+07:00') as CreatedOn,
    strftime(o.closed_at + interval 7 hour, '%Y-%m-%dT%H:%M:%S+07:00') as ClosedOn,
    case o.outcome when 'won' then 'Closed Won' when 'lost' then 'Closed Lost' else 'Open' end
    as Stage,
    o.lost_reason as LossReason,
    (o.amount / 1000)::decimal(18, 3) as AmountK,
    o.source_channel as Source,
    case when k.is_kept then o.created_at end as _at
from opportunities as o
join known as k using (person)
order by o.opportunity
