select
    order_ref as order_id, pos as line_no, sku as product_id, department as category,
    qty as quantity, line_total::decimal(18, 2) as net_amount,
    unit_cost_total::decimal(18, 2) as cost_amount, reason_bought as sale_type,
    stock as stock_at_order, cancelled_at, cancel_reason, 'web shop' as source
from read_csv('{raw}/webshop/order_items.csv', header = true, all_varchar = true)
union all
select
    l.receipt, l.line, p.sku, p.department, l.pieces, l.amount::decimal(18, 2),
    l.cost::decimal(18, 2), l.kind, l.shelf, l.voided_at, l.voided_why, 'tills'
from read_csv('{raw}/tills/receipt_lines.csv', header = true, all_varchar = true) as l
left join _products as p using (plu)
union all
select
    l.no_pesanan, l.no_baris, l.sku, p.department, l.jumlah,
    replace(replace(l.harga, 'Rp ', ''), '.', '')::decimal(18, 2),
    replace(replace(l.modal, 'Rp ', ''), '.', '')::decimal(18, 2),
    l.jenis_jual, l.stok, l.waktu_batal, l.alasan_batal, 'marketplace'
from read_csv('{raw}/marketplace/barang.csv', header = true, all_varchar = true) as l
left join _products as p using (sku)
