-- part: cdp/traits.csv
-- What a profile says of a customer beside the core: stated, observed or inferred.
with trait as (
    select person, 'brewing' as name, 'stated' as origin, 'customer' as matters,
        list_value('espresso', 'filter', 'French press', 'cold brew')[1 + (hash(person, 'b') % 4)::int]
        as value
    from people where hash(person, 'told') % 10 < 6
    union all
    select person, 'roast', 'inferred', 'company',
        list_value('light', 'medium', 'dark')[1 + (hash(person, 'r') % 3)::int]
    from people where hash(person, 'seen') % 10 < 7
    union all
    select person, 'household_size', 'stated', 'company', (1 + hash(person, 'h') % 5)::varchar
    from people where party = 'person' and hash(person, 'told') % 10 < 4
)
select
    k.email_hash as contact,
    t.name as trait,
    t.value,
    t.origin,
    t.matters as important_to,
    strftime(k.seen_at + interval 7 hour, '%Y-%m-%d') as since,
    case when k.is_kept then k.seen_at end as _at
from trait as t
join known as k using (person)
order by t.person, t.name
