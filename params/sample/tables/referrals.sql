select
    code_used as referral_id,
    'email_hash:' || referrer_md5 as referrer_id,
    'email_hash:' || friend_md5 as referred_id,
    used_at as referred_at,
    order_ref as order_id,
    reward::decimal(18, 2) as reward_amount,
    'web shop' as source
from read_csv('{raw}/webshop/referrals.csv', header = true, all_varchar = true)
