select
    sub_id as subscription_id,
    strptime(month, '%Y-%m')::date as period_on,
    bags as units,
    bags_included as included_units,
    (overage_cents::decimal(18, 2) / 100)::decimal(18, 2) as overage_amount,
    'billing' as source
from read_csv('{raw}/billing/usage.csv', header = true, all_varchar = true)
