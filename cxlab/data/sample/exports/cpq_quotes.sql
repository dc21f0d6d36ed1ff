-- part: cpq/quotes.csv
select
    'Q' || q.quote as quote_number,
    'OP' || q.opportunity as opportunity,
    k.email_hash as customer_key,
    strftime(q.requested_at, '%Y-%m-%dT%H:%M:%SZ') as requested,
    strftime(q.issued_at, '%Y-%m-%dT%H:%M:%SZ') as issued,
    strftime(q.accepted_at, '%Y-%m-%dT%H:%M:%SZ') as accepted,
    q.list_amount as list_price,
    q.net_amount as offered_price,
    nullif(q.invoiced_amount, 0) as invoiced_price,
    q.revisions,
    q.approval_min as minutes_to_approve,
    q.config_error as had_configuration_error,
    case when k.is_kept then q.requested_at end as _at
from quotes as q
join known as k using (person)
order by q.quote
