-- part: helpdesk/messages.jsonl
select
    'HM' || c.comment as id,
    {'email': k.email} as sender,
    strftime(c.written_at, '%Y-%m-%dT%H:%M:%SZ') as written,
    c.origin as via,
    c.text as body,
    c.language as lang,
    c.touchpoint as context,
    n.ref as order_reference
from comments as c
join known as k using (person)
left join numbered as n on c.order = n.order
where c.origin in ('ticket', 'chat')
order by c.comment
