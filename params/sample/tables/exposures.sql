-- Customers in experiments; regions and the whole company in rollouts.
select
    experiment as initiative,
    'email_hash:' || contact as unit_id,
    arm,
    assigned as assigned_at,
    first_seen as first_exposed_at,
    'CDP' as source
from read_csv('{raw}/cdp/assignments.csv', header = true, all_varchar = true)
union all
select experiment, unit, arm, assigned, first_seen, 'CDP'
from read_csv('{raw}/cdp/rollout.csv', header = true, all_varchar = true)
