-- One row per parcel. promised_on is the day that the customer was promised first.
select
    order_id as shipment_id,
    order_id,
    carrier,
    promised_on,
    shipped_at,
    delivered_at,
    in_full,
    'carrier' as source,
    excluded_by
from _deliveries
