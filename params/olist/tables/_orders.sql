-- Orders with the person behind them. The published sample holds every undelivered
-- order but only 5,172 of 96,478 delivered ones, so undelivered orders are kept at that
-- same rate, chosen by the leading digits of their id, and the rest is left out by rule.
select
    o.*,
    c.customer_unique_id as person_id,
    c.customer_state as region,
    o.order_status in ('canceled', 'unavailable') as is_cancelled,
    case
        when o.order_status <> 'delivered'
            and ('0x' || left(o.order_id, 8))::ubigint >= 4294967296 * 5172.0 / 96478
        then 'undelivered order left out, to match the sampling of delivered ones (5172 in 96478)'
    end as excluded_by
from read_csv('{raw}/olist_orders_dataset.csv.gz', header = true) as o
join read_csv('{raw}/olist_customers_dataset.csv.gz', header = true,
    types = {'customer_zip_code_prefix': 'VARCHAR'}) as c using (customer_id)
