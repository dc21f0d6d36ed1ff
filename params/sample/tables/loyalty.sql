select
    entry_id,
    'loyalty:' || card_no as customer_id,
    to_timestamp(booked_ms::bigint / 1000) as booked_at,
    case code when 'J' then 'join' when 'E' then 'earn' when 'R' then 'redeem'
        when 'X' then 'expire' else 'tier' end as kind,
    points,
    status_level as tier,
    'loyalty' as source
from read_csv('{raw}/loyalty/ledger.csv', header = true, all_varchar = true)
