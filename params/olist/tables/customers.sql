-- One row per person (customer_unique_id); customer_id of the source is new for each order.
select
    person_id as customer_id,
    coalesce(
        min(order_purchase_timestamp) filter (where excluded_by is null),
        min(order_purchase_timestamp)
    ) as first_seen_at,
    'person' as party,
    arg_min(region, order_purchase_timestamp) as region,
    'pt' as language,
    'shop' as source,
    case when count(*) filter (where excluded_by is null) = 0 then min(excluded_by) end as excluded_by
from _orders
group by person_id
