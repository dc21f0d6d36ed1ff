select
    campaign_code as campaign_id,
    title as name,
    medium as channel,
    start_day as starts_on,
    end_day as ends_on,
    reach as impressions,
    cost_idr::decimal(18, 2) as cost_amount,
    'marketing automation' as source
from read_csv('{raw}/automation/campaigns.csv', header = true, all_varchar = true)
