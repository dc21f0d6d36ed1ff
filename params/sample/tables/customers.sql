-- One row per account of the three systems where people can sign up; cxlab makes one row per
-- person of them. The web shop and the marketplace are asked by what the CRM does not know.
select
    'crm:' || "AccountNo" as customer_id,
    timezone('Asia/Jakarta', strptime("CreatedDate", '%d/%m/%Y %H:%M:%S')) as first_seen_at,
    "LeadSource" as acquisition_channel,
    'email_hash:' || "ReferralCode" as referred_by,
    case "CustomerType" when 'Business' then 'organisation' else 'person' end as party,
    "City" as region,
    lower("Lang") as language,
    "BirthYear" as birth_year,
    'CRM' as source
from read_csv('{raw}/crm/Accounts.csv', header = true, all_varchar = true)
union all
select
    'login:' || user_id,
    registered::timestamptz,
    utm_medium,
    'email_hash:' || referral_code,
    case is_business when 'true' then 'organisation' else 'person' end,
    city,
    locale,
    birth_year,
    'web shop'
from read_csv('{raw}/webshop/users.csv', header = true, all_varchar = true)
union all
select
    'login:' || id_pembeli,
    timezone('Asia/Jakarta', terdaftar::timestamp),
    sumber,
    'email_hash:' || kode_referal,
    case jenis when 'usaha' then 'organisation' else 'person' end,
    kota,
    bahasa,
    tahun_lahir,
    'marketplace'
from read_csv('{raw}/marketplace/pembeli.csv', header = true, all_varchar = true)
