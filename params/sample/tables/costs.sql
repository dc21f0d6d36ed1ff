select
    strptime(posting_date, '%d.%m.%Y')::date as period_on,
    cost_centre as activity,
    amount_idr::decimal(18, 2) as amount,
    volume as units,
    'finance' as source
from read_csv('{raw}/finance/cost_ledger.csv', header = true, all_varchar = true)
