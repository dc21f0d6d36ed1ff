-- Every contact that any system saw, also offline ones, one row each. A visitor whom nobody
-- knows has an anonymous_id in place of a customer_id. Stages, touchpoints and channels are
-- the company's own words; `journey` in study.yaml says how they follow one another.
select
    "hit" as interaction_id,
    case when "visitor" not like 'visitor %' then "visitor" end as customer_id,
    case when "visitor" like 'visitor %' then "visitor" end as anonymous_id,
    "when" as occurred_at,
    "did" as activity,
    "where" as touchpoint,
    case
        when "did" = 'product viewed' then 'consider'
        when "did" = 'parcel received' then 'receive'
        when "did" = 'service called' then 'use'
        else 'buy'
    end as stage,
    "came_by" as channel,
    "visit" as session_id,
    case "worked" when 'yes' then 'success' else 'abandoned' end as outcome,
    'visits' as source
from read_csv('{raw}/visits.csv', header = true, all_varchar = true)
