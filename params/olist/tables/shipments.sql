-- One shipment per order; the estimated delivery date shown at purchase is the first promise.
select
    order_id as shipment_id,
    order_id,
    order_estimated_delivery_date::date as promised_on,
    order_delivered_carrier_date as shipped_at,
    order_delivered_customer_date as delivered_at,
    'logistics' as source,
    coalesce(
        excluded_by,
        case when is_cancelled then 'cancelled order: nothing was to be delivered' end
    ) as excluded_by
from _orders
