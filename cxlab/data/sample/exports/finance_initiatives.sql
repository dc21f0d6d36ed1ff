-- once: finance/programme_ledger.csv
-- What is bought is posted on its day, what runs at the end of its month.
select
    i.name as programme,
    strftime(
        case c.kind when 'one_off' then c.booked_on else last_day(c.booked_on::date) end, '%d.%m.%Y'
    ) as posting_date,
    c.amount as amount_idr,
    case c.kind when 'one_off' then 'CAPEX' else 'OPEX' end as class
from world_initiative_costs as c
join initiatives as i on c.initiative = i.place
order by c.initiative, c.booked_on
