-- A helper: its name starts with _, other mappings use it like a table, and it makes no
-- table of its own. Here every column gets its name and its type once.
--
-- A moment that DuckDB does not read by itself is read with strptime. It carries no zone,
-- so it counts as local time of the study's time_zone.
select
    "Order No" as order_id,
    "Customer No" as customer_id,
    strptime("Ordered", '%d.%m.%Y %H:%M') as placed_at,
    "Net"::decimal(18, 2) as net_amount,
    "Shipping"::decimal(18, 2) as shipping_amount,
    "State" = 'cancelled' as is_cancelled,
    -- A row with a reason in excluded_by is left out and counted under that reason. Use it
    -- for rows that are no part of the question; rows that are wrong are set aside anyway.
    case when "Test" = 'yes' then 'test order of the staff' end as excluded_by
from read_csv('{raw}/orders.csv', header = true, all_varchar = true)
