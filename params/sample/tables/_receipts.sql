-- Tills write their own town's clock. In the hour that comes twice each autumn abroad, nothing
-- says which of the two it was: the second one is taken.
select
    *,
    case country
        when 'NL' then timezone('Europe/Amsterdam', local_time::timestamp)::varchar
        else local_time
    end as placed_at,
    coalesce('loyalty:' || card, 'phone_hash:' || receipt_to) as buyer
from read_csv('{raw}/tills/receipts.csv', header = true, all_varchar = true)
