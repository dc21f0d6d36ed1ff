-- What each code asks stands in the codebook. A question about the occasion itself belongs to
-- the touchpoint that was known when the invitation was sent.
select
    r.response_id,
    b."Item" as question,
    'survey:' || r.panel as customer_id,
    r.survey,
    r.invitation_id,
    r.answered_at,
    b."Construct" as construct,
    b."Dimension" as dimension,
    r.value,
    b."From" as scale_min,
    b."To" as scale_max,
    b."Reversed" as reversed,
    coalesce(
        b."Touchpoint",
        case when b."Construct" in ('csat', 'ces', 'driver', 'expectation') then r.occasion end
    ) as touchpoint,
    r.order_id,
    'survey tool' as source
from _responses as r
join read_csv('{raw}/survey/codebook.csv', header = true, all_varchar = true) as b
    on r.code = b."Code"
