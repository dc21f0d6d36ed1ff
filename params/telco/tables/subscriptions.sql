select
    customer_id as subscription_id,
    customer_id,
    contract as plan,
    contract,
    internet,
    payment_method,
    tech_support,
    paperless_billing,
    started_on::timestamp as started_at,
    ended_on::timestamp as ended_at,
    monthly_amount,
    'billing' as source
from _contracts
