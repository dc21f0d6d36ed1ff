-- part: helpdesk/calls.csv
select
    'CC' || c.contact as call_id,
    'HD-' || c.ticket as ticket,
    k.email_hash as caller_md5,
    strftime(c.started_at + interval 7 hour, '%Y/%m/%d %H:%M:%S') as started,
    c.channel as line,
    c.team as desk,
    c.wait_s,
    c.handle_s as talk_s,
    c.recognised,
    c.history_available as history_shown,
    c.had_to_repeat as repeated_story,
    c.abandoned as hung_up,
    c.cost_amount as cost_idr,
    case when k.is_kept then c.started_at end as _at
from contacts as c
join known as k using (person)
order by c.contact
