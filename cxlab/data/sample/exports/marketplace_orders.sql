-- part: marketplace/pesanan.csv
-- The marketplace reports in Indonesian: Jakarta's time, and sums as people write them.
with finished as (
    select o.order, coalesce(r.requested_at, d.delivered_at, o.placed_at) as at
    from orders as o
    left join deliveries as d using ("order")
    left join returns as r using ("order")
)
select
    n.ref as no_pesanan,
    k.buyer as id_pembeli,
    strftime(o.placed_at + interval 7 hour, '%Y-%m-%d %H:%M:%S') as waktu_pesan,
    case o.status
        when 'placed' then 'Baru' when 'paid' then 'Dibayar' when 'fulfilled' then 'Selesai'
        when 'returned' then 'Dikembalikan' else 'Dibatalkan'
    end as status_pesanan,
    strftime(f.at + interval 7 hour, '%Y-%m-%d %H:%M:%S') as waktu_status,
    'Rp ' || replace(format('{:,}', o.net_amount), ',', '.') as total_barang,
    'Rp ' || replace(format('{:,}', o.refund_amount), ',', '.') as pengembalian,
    'Rp ' || replace(format('{:,}', o.discount_amount), ',', '.') as diskon,
    'Rp ' || replace(format('{:,}', o.shipping_amount), ',', '.') as ongkir,
    case when o.quote >= 0 then 'Q' || o.quote end as no_penawaran,
    n.known_at as _at
from orders as o
join numbered as n using ("order")
join known as k on o.person = k.person
join finished as f on o.order = f.order
where o.channel = 'marketplace'
order by o.order
