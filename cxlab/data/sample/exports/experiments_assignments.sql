-- part: cdp/assignments.csv
select
    i.name as experiment,
    k.email_hash as contact,
    e.arm,
    strftime(e.assigned_at, '%Y-%m-%dT%H:%M:%SZ') as assigned,
    strftime(e.first_exposed_at, '%Y-%m-%dT%H:%M:%SZ') as first_seen
from exposures as e
join known as k on e.unit = k.person
join initiatives as i on e.initiative = i.place
where e.unit_kind = 'customer'
order by e.initiative, e.unit
