select
    move_id as event_id,
    sku as product_id,
    for_order as order_id,
    to_timestamp(unix_s::bigint) as occurred_at,
    case move when 'SHORT' then 'stockout_after_order' when 'BACKORDER' then 'backorder'
        when 'SUBST' then 'substitute' else 'arrive' end as kind,
    'warehouse' as source
from read_csv('{raw}/warehouse/stock_moves.csv', header = true, all_varchar = true)
