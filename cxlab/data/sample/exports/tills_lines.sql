-- part: tills/receipt_lines.csv
select
    n.ref as receipt,
    l.line_no as line,
    l.product as plu,
    l.quantity as pieces,
    l.net_amount as amount,
    l.cost_amount as cost,
    l.sale_type as kind,
    l.stock_at_order as shelf,
    strftime(l.cancelled_at + interval 7 hour, '%Y-%m-%d %H:%M:%S') as voided_at,
    l.cancel_reason as voided_why
from order_lines as l
join numbered as n using ("order")
where n.channel = 'store'
order by l.order, l.line_no
