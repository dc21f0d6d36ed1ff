-- part: crm/Accounts.csv
-- Customer relations: names of fields in camel case, Jakarta's time, day before month. Some
-- people have a second record with another e-mail.
with record as (
    select person, crm as number, email, seen_at as at from known where crm >= 0
    union all
    select person, crm_2, email_2, crm_2_at from known where crm_2 >= 0
)
select
    r.number as AccountNo,
    k.name as FullName,
    r.email as Email,
    k.phone as MobilePhone,
    k.nik as NationalId,
    k.street as StreetAddress,
    k.city as City,
    case when p.party = 'organisation' then 'Business' else 'Consumer' end as CustomerType,
    p.birth_year as BirthYear,
    upper(p.language::varchar) as Lang,
    p.acquisition_channel as LeadSource,
    f.email_hash as ReferralCode,
    strftime(r.at + interval 7 hour, '%d/%m/%Y %H:%M:%S') as CreatedDate,
    case when k.is_kept then r.at end as _at
from record as r
join known as k using (person)
join people as p using (person)
left join known as f on p.referred_by = f.person
order by r.number
