-- A helper: its name starts with _, other mappings use it like a table, and it makes no
-- table of its own. Here every column gets its name once.
--
-- Text is left as text: cxlab reads it as the type that the data model asks for, and sets
-- aside, with the reason, each row where it does not read. A cast with :: would stop the
-- run at the first such row.
select
    "Order No" as order_id,
    "Customer No" as customer_id,
    -- A moment in a form of its own is read with try_strptime, and stays as it came where
    -- it does not read. It carries no zone, so it is local time of the study's time_zone.
    coalesce(
        strftime(try_strptime("Ordered", '%d.%m.%Y %H:%M'), '%Y-%m-%d %H:%M:%S'), "Ordered"
    ) as placed_at,
    "Net" as net_amount,
    "Shipping" as shipping_amount,
    "State" = 'cancelled' as is_cancelled,
    -- A row with a reason in excluded_by is left out and counted under that reason. Use it
    -- for rows that are no part of the question; rows that are wrong are set aside anyway.
    case when "Test" = 'yes' then 'test order of the staff' end as excluded_by
from read_csv('{raw}/orders.csv', header = true, all_varchar = true)
