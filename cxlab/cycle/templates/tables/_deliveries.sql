-- Deliveries with their order. Files that are split by month or year are read at once with
-- a pattern in place of the name, such as deliveries_*.csv.
select
    o.order_id,
    o.customer_id,
    o.placed_at,
    d.carrier,
    d.promised as promised_on,
    d.shipped as shipped_at,
    d.delivered as delivered_at,
    -- To reckon with a value, read it with try_cast: it is empty where it does not read.
    try_cast(d.promised as date) as promised_day,
    try_cast(d.delivered as timestamp) as delivered_moment,
    d.complete = 'yes' as in_full,
    coalesce(
        o.excluded_by,
        case when o.is_cancelled then 'cancelled order: nothing was to be delivered' end
    ) as excluded_by
from read_csv('{raw}/deliveries.csv', header = true, all_varchar = true) as d
join _orders as o using (order_id)
