select
    programme as initiative,
    strptime(posting_date, '%d.%m.%Y')::date as booked_on,
    amount_idr::decimal(18, 2) as amount,
    case class when 'CAPEX' then 'one_off' else 'running' end as kind,
    'finance' as source
from read_csv('{raw}/finance/programme_ledger.csv', header = true, all_varchar = true)
