-- Web shop, tills and marketplace. What was refunded is taken off; text that is no amount stays
-- as it is, to be set aside with its reason.
select
    order_ref as order_id,
    buyer as customer_id,
    ordered_at as placed_at,
    device as channel,
    null as store_id,
    case state when 'new' then 'placed' when 'paid' then 'paid' when 'delivered' then 'fulfilled'
        when 'refunded' then 'returned' else 'cancelled' end as status,
    state_at as status_at,
    coalesce(
        (try_cast(goods_total as decimal(18, 2)) - refunded::decimal(18, 2))::varchar, goods_total
    ) as net_amount,
    discount::decimal(18, 2) as discount_amount,
    shipping::decimal(18, 2) as shipping_amount,
    quote_number as quote_id,
    'web shop' as source,
    case when is_test = 'true' then 'test order' end as excluded_by
from _web_orders
union all
select
    receipt, buyer, placed_at, 'store', shop,
    case voided when 'true' then 'cancelled' else 'fulfilled' end,
    placed_at, total, rebate::decimal(18, 2), 0, quote_number, 'tills', null
from _receipts
union all
select
    no_pesanan, 'login:' || id_pembeli, waktu_pesan, 'marketplace', null,
    case status_pesanan when 'Baru' then 'placed' when 'Dibayar' then 'paid'
        when 'Selesai' then 'fulfilled' when 'Dikembalikan' then 'returned' else 'cancelled' end,
    waktu_status,
    coalesce((try_cast(total as decimal(18, 2)) - refunded)::varchar, total),
    discount, shipping, no_penawaran, 'marketplace', null
from _marketplace_orders
