-- Who they are (sex, age, partner, dependents) is left where it is: nothing here may depend on it.
select
    customer_id,
    started_on::timestamp as first_seen_at,
    'person' as party,
    'billing' as source
from _contracts
