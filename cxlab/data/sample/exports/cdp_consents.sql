-- part: cdp/consents.csv
select
    k.email_hash as contact,
    case c.purpose
        when 'service' then 'SVC' when 'analytics' then 'ANL'
        when 'research' then 'RES' else 'MKT'
    end as scope,
    case c.status when 'granted' then 'opt_in' when 'denied' then 'opt_out' else 'revoked' end
    as choice,
    epoch_ms(c.valid_from) as ts_ms,
    case when k.is_kept then c.valid_from end as _at
from consents as c
join known as k using (person)
order by c.person, c.purpose, c.valid_from
