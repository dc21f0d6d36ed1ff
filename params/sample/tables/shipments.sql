-- The promised day is Jakarta's; the carriers' moments bring their offset.
select
    waybill as shipment_id,
    reference as order_id,
    courier as carrier,
    strptime(promised, '%Y%m%d')::date as promised_on,
    picked_up as shipped_at,
    handed_over as delivered_at,
    complete = 'Y' as in_full,
    remark as exception,
    'carrier' as source
from read_csv('{raw}/carrier/manifest.csv', header = true, all_varchar = true)
