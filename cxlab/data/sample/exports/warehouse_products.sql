-- once: warehouse/products.csv
select
    'SKU-' || lpad(product::varchar, 4, '0') as sku,
    product as plu,
    category as department,
    price::bigint as list_price
from goods
order by product
