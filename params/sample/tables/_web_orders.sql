select
    *,
    coalesce('login:' || user_id, 'email_hash:' || guest_md5) as buyer
from read_csv('{raw}/webshop/orders.csv', header = true, all_varchar = true)
