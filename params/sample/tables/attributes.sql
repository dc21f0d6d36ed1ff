select
    'email_hash:' || contact as customer_id,
    trait as attribute,
    since as valid_from,
    value,
    origin,
    important_to,
    'CDP' as source
from read_csv('{raw}/cdp/traits.csv', header = true, all_varchar = true)
