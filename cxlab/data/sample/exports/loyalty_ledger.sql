-- part: loyalty/ledger.csv
select
    'LE' || e.entry as entry_id,
    k.card as card_no,
    epoch_ms(e.booked_at) as booked_ms,
    case e.kind
        when 'join' then 'J' when 'earn' then 'E' when 'redeem' then 'R'
        when 'expire' then 'X' else 'T'
    end as code,
    e.points,
    e.tier as status_level,
    case when k.is_kept then e.booked_at end as _at
from loyalty as e
join known as k using (person)
order by e.entry
