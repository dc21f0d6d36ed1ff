-- part: webshop/referrals.csv
select
    'RF' || r.referral as code_used,
    a.email_hash as referrer_md5,
    b.email_hash as friend_md5,
    strftime(r.referred_at, '%Y-%m-%dT%H:%M:%SZ') as used_at,
    n.ref as order_ref,
    printf('%d.00', r.reward_amount) as reward
from referrals as r
join known as a on r.referrer = a.person
join known as b on r.referred = b.person
left join numbered as n on r.order = n.order
order by r.referral
