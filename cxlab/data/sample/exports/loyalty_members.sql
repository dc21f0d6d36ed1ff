-- part: loyalty/members.csv
select
    card as card_no,
    phone_hash as phone_md5,
    strftime(card_at + interval 7 hour, '%d-%m-%Y') as joined
from known
where card >= 0
order by card
