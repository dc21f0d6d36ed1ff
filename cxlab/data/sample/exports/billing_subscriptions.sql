-- part: billing/subscriptions.csv
-- Billing counts in cents of a rupiah, and knows people by their e-mail.
select
    'SUB' || s.subscription as sub_id,
    k.email_hash as email_md5,
    s.plan,
    strftime(s.started_at, '%Y-%m-%dT%H:%M:%SZ') as activated,
    strftime(s.ended_at, '%Y-%m-%dT%H:%M:%SZ') as terminated,
    case s.end_kind when 'voluntary' then 'CUSTOMER' when 'involuntary' then 'PAYMENT' end
    as terminated_by,
    s.end_reason as note,
    s.monthly_amount * 100 as mrr_cents
from subscriptions as s
join known as k using (person)
order by s.subscription
