-- part: helpdesk/tickets.jsonl
-- A ticket as the help desk's interface hands it out: nested, with the requester's e-mail.
select
    'HD-' || t.ticket as id,
    {'email': k.email, 'phone': k.phone} as requester,
    {
        'created': strftime(t.opened_at, '%Y-%m-%dT%H:%M:%SZ'),
        'first_response': strftime(t.first_reply_at, '%Y-%m-%dT%H:%M:%SZ'),
        'solved': strftime(t.solved_at, '%Y-%m-%dT%H:%M:%SZ'),
        'response_due': strftime(s.promised_by, '%Y-%m-%dT%H:%M:%SZ')
    } as times,
    {
        'via': t.channel, 'subject': t.topic, 'complaint': t.is_complaint, 'group': t.team,
        'handovers': t.transfers, 'reopened': t.reopened
    } as handling,
    case when s.kept = 1 then 'met' when s.kept = 0 then 'missed' end as response_target,
    n.ref as order_reference,
    t.compensation_amount as goodwill
from tickets as t
join known as k using (person)
left join sla_promises as s using (ticket)
left join numbered as n on t.order = n.order
order by t.ticket
