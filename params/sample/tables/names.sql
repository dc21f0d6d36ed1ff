-- Read to find names in comments, and kept nowhere.
select 'crm:' || "AccountNo" as customer_id, "FullName" as name
from read_csv('{raw}/crm/Accounts.csv', header = true, all_varchar = true)
where "AccountNo" is not null
