-- once: cdp/rollout.csv
select
    i.name as experiment,
    e.unit_kind as unit_kind,
    e.unit as unit,
    e.arm,
    strftime(e.assigned_at, '%Y-%m-%dT%H:%M:%SZ') as assigned,
    strftime(e.first_exposed_at, '%Y-%m-%dT%H:%M:%SZ') as first_seen
from world_exposures as e
join initiatives as i on e.initiative = i.place
order by e.initiative, e.unit
