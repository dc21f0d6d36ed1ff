-- Contracts that go on until somebody ends them. A contract that still runs has no end; of
-- whose will it ended keeps apart those who leave from those whose payment fails.
select
    "contract" as subscription_id,
    "customer_no" as customer_id,
    "box" as plan,
    "begun" as started_at,
    "ended" as ended_at,
    case "ended_by" when 'customer' then 'voluntary' when 'bank' then 'involuntary' end
    as end_kind,
    "per_month" as monthly_amount,
    'contracts' as source
from read_csv('{raw}/subscriptions.csv', header = true, all_varchar = true)
