select
    customer_id || '-' || strftime(placed_at, '%Y%m%d') || '-' || number as order_id,
    customer_id,
    placed_at,
    'web' as channel,
    'fulfilled' as status,
    net_amount,
    cds,
    'shop' as source
from _purchases
