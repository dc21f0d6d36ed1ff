-- part: crm/DeletionRequests.csv
select
    k.crm as AccountNo,
    strftime(e.requested_at + interval 7 hour, '%d/%m/%Y %H:%M:%S') as ReceivedDate
from erasures as e
join known as k using (person)
order by k.crm
