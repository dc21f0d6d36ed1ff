-- Screens from web analytics, everything else from the customer data platform.
select
    'W' || hit_id as interaction_id,
    coalesce('login:' || user_id, 'email_hash:' || link_md5) as customer_id,
    'device:' || client_id as anonymous_id,
    to_timestamp(ts_ms::bigint / 1000) as occurred_at,
    event_name as activity,
    entry_point as touchpoint,
    intent as stage,
    medium as channel,
    visit_id as session_id,
    item_kind as object_type,
    item as object_id,
    result as outcome,
    seconds as duration_s,
    value_idr as value_amount,
    'CMP' || campaign as campaign_id,
    suspected_bot as is_bot,
    'web analytics' as source
from read_parquet('{raw}/web/hits/*.parquet')
union all
select
    'E' || message_id, 'email_hash:' || contact_md5, null,
    to_timestamp(sent_ms::bigint / 1000), event, context, phase, via, visit_id, about, about_id,
    result, seconds, value_idr, 'CMP' || campaign, false, 'CDP'
from read_parquet('{raw}/cdp/events/*.parquet')
