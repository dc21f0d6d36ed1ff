-- part: reviews/posts.jsonl
-- Reviews and posts as a listening tool collects them; an account there is known by its phone.
select
    'PO' || c.comment as post_id,
    k.phone_hash as handle_md5,
    strftime(c.written_at, '%Y-%m-%dT%H:%M:%SZ') as posted,
    c.origin as kind,
    c.text as body,
    c.language as lang,
    nullif(c.rating, -1) as stars,
    nullif(c.scale_min, -1) as stars_from,
    nullif(c.scale_max, -1) as stars_to,
    c.touchpoint as about,
    n.ref as order_ref,
    nullif(c.reach, -1) as seen_by,
    case when k.is_kept then c.written_at end as _at,
    k.email as _email,
    k.phone as _phone,
    k.nik as _nik,
    k.name as _name,
    k.street as _street
from comments as c
join known as k using (person)
left join numbered as n on c.order = n.order
where c.origin in ('review', 'social')
order by c.comment
