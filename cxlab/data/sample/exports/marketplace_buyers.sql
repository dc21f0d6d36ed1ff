-- part: marketplace/pembeli.csv
-- Buyers as the marketplace tells of them, in Indonesian, Jakarta's time.
select
    k.buyer as id_pembeli,
    k.city as kota,
    case when p.party = 'organisation' then 'usaha' else 'perorangan' end as jenis,
    case when k.crm < 0 and k.login < 0 then p.acquisition_channel end as sumber,
    case when k.crm < 0 and k.login < 0 then p.birth_year end as tahun_lahir,
    p.language as bahasa,
    f.email_hash as kode_referal,
    strftime(k.seen_at + interval 7 hour, '%Y-%m-%d %H:%M:%S') as terdaftar,
    case when k.is_kept then k.seen_at end as _at
from known as k
join people as p using (person)
left join known as f on p.referred_by = f.person
where k.buyer >= 0
order by k.buyer
