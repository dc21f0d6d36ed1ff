-- Deliveries with their order. Files that are split by month or year are read at once with
-- a pattern in place of the name, such as deliveries_*.csv.
select
    o.order_id,
    o.customer_id,
    o.placed_at,
    d.carrier,
    d.promised::date as promised_on,
    d.shipped::timestamp as shipped_at,
    d.delivered::timestamp as delivered_at,
    d.complete = 'yes' as in_full,
    coalesce(
        o.excluded_by,
        case when o.is_cancelled then 'cancelled order: nothing was to be delivered' end
    ) as excluded_by
from read_csv('{raw}/deliveries.csv', header = true, all_varchar = true) as d
join _orders as o using (order_id)
