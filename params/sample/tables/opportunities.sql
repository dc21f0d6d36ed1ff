-- The sales force works in thousands of rupiah.
select
    "OpptyId" as opportunity_id,
    'email_hash:' || "AccountKey" as customer_id,
    "OwnerRole" as owner_id,
    "CreatedOn" as created_at,
    "ClosedOn" as closed_at,
    case "Stage" when 'Closed Won' then 'won' when 'Closed Lost' then 'lost' end as outcome,
    "LossReason" as lost_reason,
    ("AmountK"::decimal(18, 3) * 1000)::decimal(18, 2) as amount,
    "Source" as source_channel,
    'SFA' as source
from read_csv('{raw}/sfa/Opportunities.csv', header = true, all_varchar = true)
