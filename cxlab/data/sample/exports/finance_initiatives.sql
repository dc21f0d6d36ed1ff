-- once: finance/programme_ledger.csv
select
    i.name as programme,
    strftime(c.booked_on, '%d.%m.%Y') as posting_date,
    c.amount as amount_idr,
    case c.kind when 'one_off' then 'CAPEX' else 'OPEX' end as class
from world_initiative_costs as c
join initiatives as i on c.initiative = i.place
order by c.initiative, c.booked_on
