-- part: marketplace/barang.csv
select
    n.ref as no_pesanan,
    l.line_no as no_baris,
    'SKU-' || lpad(l.product::varchar, 4, '0') as sku,
    l.quantity as jumlah,
    'Rp ' || replace(format('{:,}', l.net_amount), ',', '.') as harga,
    'Rp ' || replace(format('{:,}', l.cost_amount::bigint), ',', '.') as modal,
    l.sale_type as jenis_jual,
    l.stock_at_order as stok,
    strftime(l.cancelled_at + interval 7 hour, '%Y-%m-%d %H:%M:%S') as waktu_batal,
    l.cancel_reason as alasan_batal
from order_lines as l
join numbered as n using ("order")
where n.channel = 'marketplace'
order by l.order, l.line_no
