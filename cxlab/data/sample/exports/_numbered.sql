-- helper: numbered
-- Each order with its number in the shop's own manner, and whether the shop knew the account.
select
    o.order,
    o.person,
    o.channel::varchar as channel,
    case o.channel
        when 'store' then 'R' || o.order
        when 'marketplace' then 'INV/' || o.order
        else 'WS-' || o.order
    end as ref,
    o.channel in ('web', 'app') and k.login >= 0 and k.login_at <= o.placed_at as with_login,
    o.channel = 'store' and k.card >= 0 and k.card_at <= o.placed_at as with_card,
    o.placed_at,
    case when k.is_kept then o.placed_at end as known_at
from orders as o
join known as k using (person)
