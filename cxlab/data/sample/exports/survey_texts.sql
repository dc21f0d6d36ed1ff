-- part: survey/open_texts.csv
select
    'TX' || c.comment as TextId,
    k.panel as PanelId,
    strftime(c.written_at, '%Y-%m-%dT%H:%M:%SZ') as WrittenAt,
    c.text as Answer,
    c.language as Lang,
    nullif(c.rating, -1) as Mark,
    nullif(c.scale_min, -1) as MarkFrom,
    nullif(c.scale_max, -1) as MarkTo,
    c.touchpoint as Occasion,
    n.ref as OrderRef
from comments as c
join known as k using (person)
left join numbered as n on c.order = n.order
where c.origin = 'survey'
order by c.comment
