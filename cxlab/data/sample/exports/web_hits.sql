-- part: web/hits
-- Web and app analytics: milliseconds since 1970, a device, and the user where one was logged
-- in or came by a link in an e-mail.
select
    s.interaction as hit_id,
    epoch_ms(s.occurred_at) as ts_ms,
    s.device as client_id,
    nullif(s.session, -1) as visit_id,
    case when s.with_login then s.login end as user_id,
    case when s.is_known and not s.with_login then s.email_hash end as link_md5,
    s.activity as event_name,
    s.touchpoint as entry_point,
    s.channel as medium,
    s.stage as intent,
    s.object_type as item_kind,
    case s.object_type
        when 'order' then n.ref
        when 'product' then 'SKU-' || lpad(s.object::varchar, 4, '0')
        when 'ticket' then 'HD-' || s.object
        else nullif(s.object, -1)::varchar
    end as item,
    s.outcome as result,
    nullif(s.duration_s, -1) as seconds,
    nullif(s.value_amount, -1) as value_idr,
    nullif(s.campaign, -1) as campaign,
    s.is_bot as suspected_bot
from seen as s
left join numbered as n on s.object_type = 'order' and s.object = n.order
where s.device is not null
