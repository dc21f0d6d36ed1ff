-- Which ids were met together, as the customer data platform noted it.
select
    a_type as left_type,
    a_id as left_value,
    b_type as right_type,
    b_id as right_value,
    to_timestamp(seen_ms::bigint / 1000) as linked_at,
    evidence as reason,
    'CDP' as source
from read_csv('{raw}/cdp/identity_edges.csv', header = true, all_varchar = true)
