select
    i.order_id,
    i.order_item_id as line_no,
    i.product_id,
    coalesce(t.product_category_name_english, p.product_category_name) as category,
    1 as quantity,
    i.price as net_amount,
    i.seller_id,
    'shop' as source
from read_csv('{raw}/olist_order_items_dataset.csv.gz', header = true,
    types = {'price': 'DECIMAL(18,2)', 'freight_value': 'DECIMAL(18,2)'}) as i
left join read_csv('{raw}/olist_products_dataset.csv.gz', header = true) as p using (product_id)
left join read_csv('{raw}/product_category_name_translation.csv.gz', header = true) as t
    using (product_category_name)
