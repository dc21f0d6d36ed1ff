-- part: cdp/events
-- All other moments of contact that the customer data platform collects: shops, events, post,
-- television panels, parcels.
select
    s.interaction as message_id,
    epoch_ms(s.occurred_at) as sent_ms,
    case when s.is_known then s.email_hash end as contact_md5,
    s.activity as event,
    s.touchpoint as context,
    s.channel as via,
    nullif(s.session, -1) as visit_id,
    s.stage as phase,
    s.object_type as about,
    case s.object_type
        when 'order' then n.ref
        when 'product' then 'SKU-' || lpad(s.object::varchar, 4, '0')
        when 'ticket' then 'HD-' || s.object
        else nullif(s.object, -1)::varchar
    end as about_id,
    s.outcome as result,
    nullif(s.duration_s, -1) as seconds,
    nullif(s.value_amount, -1) as value_idr,
    nullif(s.campaign, -1) as campaign
from seen as s
left join numbered as n on s.object_type = 'order' and s.object = n.order
where s.device is null
