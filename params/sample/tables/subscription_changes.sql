select
    sub_id as subscription_id,
    effective as changed_at,
    lower(change) as kind,
    (old_cents::decimal(18, 2) / 100)::decimal(18, 2) as monthly_amount_before,
    (new_cents::decimal(18, 2) / 100)::decimal(18, 2) as monthly_amount_after,
    'billing' as source
from read_csv('{raw}/billing/plan_changes.csv', header = true, all_varchar = true)
