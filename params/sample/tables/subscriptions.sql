-- Billing counts in cents.
select
    sub_id as subscription_id,
    'email_hash:' || email_md5 as customer_id,
    plan,
    activated as started_at,
    terminated as ended_at,
    case terminated_by when 'CUSTOMER' then 'voluntary' when 'PAYMENT' then 'involuntary' end
    as end_kind,
    note as end_reason,
    (mrr_cents::decimal(18, 2) / 100)::decimal(18, 2) as monthly_amount,
    'billing' as source
from read_csv('{raw}/billing/subscriptions.csv', header = true, all_varchar = true)
