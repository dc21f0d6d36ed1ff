-- helper: seen
-- What happened on a screen, and on which device: the third device of a person is the one of
-- the household, which others may use as well.
select
    i.*,
    case
        when i.device_no < 0 then null
        when i.visitor >= 0 then 4000000000000 + i.visitor
        when i.device_no = 2 then p.household * 4 + 3
        else i.person * 4 + i.device_no
    end as device,
    i.is_known and k.login >= 0 and k.login_at <= i.occurred_at as with_login,
    k.login,
    k.email_hash
from interactions as i
left join people as p using (person)
left join known as k using (person)
