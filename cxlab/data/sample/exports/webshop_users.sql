-- part: webshop/users.csv
-- Accounts of the web shop: moments in UTC; an e-mail is kept as its hash only.
select
    k.login as user_id,
    k.email_hash as email_md5,
    strftime(k.login_at, '%Y-%m-%dT%H:%M:%SZ') as registered,
    k.city,
    p.language as locale,
    p.birth_year,
    p.party = 'organisation' as is_business,
    case when k.crm < 0 then p.acquisition_channel end as utm_medium,
    f.email_hash as referral_code,
    case when k.is_kept then k.login_at end as _at
from known as k
join people as p using (person)
left join known as f on p.referred_by = f.person
where k.login >= 0
order by k.login
