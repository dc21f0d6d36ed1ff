-- part: cdp/identity_edges.csv
-- Which ids were seen together: milliseconds since 1970; e-mails and phones as hashes. A tablet
-- in the shops has seen hundreds of logins.
with met as (
    select
        person, 'device' as a_type, s.device::varchar as a_id, 'login' as b_type,
        s.login::varchar as b_id, min(s.occurred_at) as met_at, 'same login' as evidence
    from seen as s
    where s.with_login and s.device is not null
    group by all
),
kiosk as (
    select
        person, 'device' as a_type, '9000000000000' as a_id, 'login' as b_type,
        login::varchar as b_id, login_at as met_at, 'same login' as evidence
    from known
    where login >= 0 and hash(person, 'kiosk') % 25 = 0
)
select a_type, a_id, b_type, b_id, epoch_ms(met_at) as seen_ms, evidence
from (
    select
        person, left_type as a_type, left_value as a_id, right_type as b_type,
        case when right_type in ('email_hash', 'phone_hash') then md5(right_value) else right_value end as b_id,
        linked_at as met_at, reason as evidence
    from (
        -- An e-mail or a phone on the left stands for itself, too.
        select * replace (
            case left_type when 'email_hash' then md5(left_value) else left_value end as left_value
        ) from links
    )
    union all select * from met
    union all select * from kiosk
)
order by person, met_at, a_type, a_id, b_type
