-- part: billing/usage.csv
select
    'SUB' || subscription as sub_id,
    strftime(period_on, '%Y-%m') as month,
    units as bags,
    included_units as bags_included,
    overage_amount * 100 as overage_cents
from usage
order by subscription, period_on
