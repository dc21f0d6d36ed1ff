select
    'email_hash:' || contact as customer_id,
    case scope when 'SVC' then 'service' when 'ANL' then 'analytics' when 'RES' then 'research'
        when 'MKT' then 'marketing' else scope end as purpose,
    to_timestamp(ts_ms::bigint / 1000) as valid_from,
    case choice when 'opt_in' then 'granted' when 'opt_out' then 'denied'
        when 'revoked' then 'withdrawn' else choice end as status,
    'CDP' as source
from read_csv('{raw}/cdp/consents.csv', header = true, all_varchar = true)
