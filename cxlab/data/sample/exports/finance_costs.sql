-- once: finance/cost_ledger.csv
select
    strftime(period_on, '%d.%m.%Y') as posting_date,
    activity as cost_centre,
    amount as amount_idr,
    units as volume
from world_costs
order by period_on, activity
