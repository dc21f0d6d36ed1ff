-- part: survey/invitations.csv
select
    'IN' || i.invitation as Token,
    k.panel as PanelId,
    i.survey as SurveyName,
    strftime(i.sent_at, '%Y-%m-%dT%H:%M:%SZ') as Sent,
    strftime(i.delivered_at, '%Y-%m-%dT%H:%M:%SZ') as Delivered,
    strftime(i.opened_at, '%Y-%m-%dT%H:%M:%SZ') as Opened,
    strftime(i.started_at, '%Y-%m-%dT%H:%M:%SZ') as Started,
    strftime(i.finished_at, '%Y-%m-%dT%H:%M:%SZ') as Finished,
    round(i.selection_prob, 6) as Probability,
    i.trigger_type as TriggerKind,
    case i.trigger_type
        when 'order' then n.ref when 'ticket' then 'HD-' || i.trigger else 'quarter ' || i.trigger
    end as TriggerRef
from invitations as i
join known as k using (person)
left join numbered as n on i.trigger_type = 'order' and i.trigger = n.order
order by i.invitation
