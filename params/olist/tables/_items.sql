-- What an order's items add up to, and where they are sent from.
select
    i.order_id,
    sum(i.price)::decimal(18, 2) as net_amount,
    sum(i.freight_value)::decimal(18, 2) as shipping_amount,
    min(s.seller_state) as seller_state
from read_csv('{raw}/olist_order_items_dataset.csv.gz', header = true,
    types = {'price': 'DECIMAL(18,2)', 'freight_value': 'DECIMAL(18,2)'}) as i
left join read_csv('{raw}/olist_sellers_dataset.csv.gz', header = true,
    types = {'seller_zip_code_prefix': 'VARCHAR'}) as s using (seller_id)
group by i.order_id
