-- 'Rp 1.250.000' is one and a quarter million.
select
    *,
    replace(replace(total_barang, 'Rp ', ''), '.', '') as total,
    replace(replace(pengembalian, 'Rp ', ''), '.', '')::decimal(18, 2) as refunded,
    replace(replace(diskon, 'Rp ', ''), '.', '')::decimal(18, 2) as discount,
    replace(replace(ongkir, 'Rp ', ''), '.', '')::decimal(18, 2) as shipping
from read_csv('{raw}/marketplace/pesanan.csv', header = true, all_varchar = true)
