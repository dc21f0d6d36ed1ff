select
    rma as return_id,
    order_ref as order_id,
    requested as requested_at,
    why as reason,
    refund::decimal(18, 2) as refund_amount,
    closed as resolved_at,
    'web shop' as source
from read_csv('{raw}/webshop/returns.csv', header = true, all_varchar = true)
