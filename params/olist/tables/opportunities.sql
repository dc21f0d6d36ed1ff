-- Sellers who asked to join. They are prospects, not customers of the shop.
select
    q.mql_id as opportunity_id,
    q.mql_id as customer_id,
    d.sr_id as owner_id,
    q.first_contact_date as created_at,
    d.won_date as closed_at,
    case when d.mql_id is not null then 'won' end as outcome,
    coalesce(q.origin, 'unknown') as source_channel,
    d.business_segment,
    'sales' as source
from read_csv('{raw}/olist_marketing_qualified_leads_dataset.csv.gz', header = true) as q
left join read_csv('{raw}/olist_closed_deals_dataset.csv.gz', header = true) as d using (mql_id)
