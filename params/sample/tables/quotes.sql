select
    quote_number as quote_id,
    opportunity as opportunity_id,
    'email_hash:' || customer_key as customer_id,
    requested as requested_at,
    issued as issued_at,
    accepted as accepted_at,
    list_price as list_amount,
    offered_price as net_amount,
    revisions,
    minutes_to_approve as approval_min,
    had_configuration_error as config_error,
    'CPQ' as source
from read_csv('{raw}/cpq/quotes.csv', header = true, all_varchar = true)
