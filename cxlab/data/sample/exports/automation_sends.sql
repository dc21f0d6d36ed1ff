-- part: automation/sends.csv
-- Marketing automation: seconds since 1970, an e-mail's hash, and flags as 0 or 1.
select
    'MS' || m.message as send_id,
    k.email_hash as contact_md5,
    'CMP' || nullif(m.campaign, -1) as campaign_code,
    m.channel as medium,
    epoch(m.sent_at)::bigint as sent,
    epoch(m.delivered_at)::bigint as delivered,
    epoch(m.opened_at)::bigint as opened,
    epoch(m.clicked_at)::bigint as clicked,
    epoch(m.bounced_at)::bigint as bounced,
    epoch(m.unsubscribed_at)::bigint as unsubscribed,
    epoch(m.complained_at)::bigint as spam_report,
    m.personalisation as template_kind,
    case when m.product >= 0 then 'SKU-' || lpad(m.product::varchar, 4, '0') end as sku,
    m.eligible::int as was_eligible,
    m.in_stock_at_send::int as stock_ok,
    m.already_owned::int as owned,
    m.cost_amount as cost_idr
from messages as m
join known as k using (person)
order by m.message
