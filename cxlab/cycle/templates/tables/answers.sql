-- One row per answer. `unpivot` turns a survey with a column per question into that.
-- construct says what is asked: csat, nps, ces and others of the data model; scale_min and
-- scale_max are the ends of the scale that was shown.
with marks as (
    unpivot (
        select
            response,
            order_no,
            answered,
            satisfied,
            easy,
            recommend
        from read_csv('{raw}/survey.csv', header = true, all_varchar = true)
    )
    on satisfied, easy, recommend
    into name question value mark
)
select
    m.response as response_id,
    m.question,
    o.customer_id,
    'after delivery' as survey,
    m.answered as answered_at,
    case m.question when 'satisfied' then 'csat' when 'easy' then 'ces' else 'nps' end as construct,
    m.mark as value,
    case m.question when 'recommend' then 0 else 1 end as scale_min,
    case m.question when 'satisfied' then 5 when 'easy' then 7 else 10 end as scale_max,
    'delivery' as touchpoint,
    m.order_no as order_id,
    'survey tool' as source,
    o.excluded_by
from marks as m
join _orders as o on o.order_id = m.order_no
