-- part: webshop/order_items.csv
select
    n.ref as order_ref,
    l.line_no as pos,
    'SKU-' || lpad(l.product::varchar, 4, '0') as sku,
    l.category as department,
    l.quantity as qty,
    printf('%d.00', l.net_amount) as line_total,
    printf('%d.00', l.cost_amount) as unit_cost_total,
    l.sale_type as reason_bought,
    l.stock_at_order as stock,
    strftime(l.cancelled_at, '%Y-%m-%dT%H:%M:%SZ') as cancelled_at,
    l.cancel_reason
from order_lines as l
join numbered as n using ("order")
where n.channel in ('web', 'app')
order by l.order, l.line_no
