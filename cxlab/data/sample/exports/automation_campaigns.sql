-- once: automation/campaigns.csv
select
    'CMP' || campaign as campaign_code,
    name as title,
    channel as medium,
    strftime(starts_on, '%Y-%m-%d') as start_day,
    strftime(ends_on, '%Y-%m-%d') as end_day,
    impressions as reach,
    cost_amount as cost_idr
from world_campaigns
order by campaign
