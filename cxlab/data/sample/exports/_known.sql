-- helper: known
-- Hashes of what a system may keep of a person. Nothing is planted on the rows of those who
-- asked to be forgotten, or the planted rows would go with them. The city is where they say they
-- live; in the hostile company some say something else.
select
    a.*,
    p.region::varchar as city,
    md5(a.email) as email_hash,
    md5(a.email_2) as email_2_hash,
    md5(a.phone) as phone_hash,
    a.person not in (select person from erasures) as is_kept
from accounts as a
join people as p using (person)
