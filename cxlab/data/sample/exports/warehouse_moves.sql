-- part: warehouse/stock_moves.csv
select
    'WM' || s.event as move_id,
    'SKU-' || lpad(s.product::varchar, 4, '0') as sku,
    n.ref as for_order,
    epoch(s.occurred_at)::bigint as unix_s,
    case s.kind
        when 'stockout_after_order' then 'SHORT' when 'backorder' then 'BACKORDER'
        when 'substitute' then 'SUBST' else 'INBOUND'
    end as move
from stock_events as s
join numbered as n using ("order")
order by s.event
