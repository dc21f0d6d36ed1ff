-- part: billing/plan_changes.csv
select
    'SUB' || subscription as sub_id,
    strftime(changed_at, '%Y-%m-%dT%H:%M:%SZ') as effective,
    upper(kind::varchar) as change,
    monthly_amount_before * 100 as old_cents,
    monthly_amount_after * 100 as new_cents
from subscription_changes
order by subscription, changed_at
