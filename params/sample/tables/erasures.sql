select
    'crm:' || "AccountNo" as customer_id,
    timezone('Asia/Jakarta', strptime("ReceivedDate", '%d/%m/%Y %H:%M:%S')) as requested_at,
    'CRM' as source
from read_csv('{raw}/crm/DeletionRequests.csv', header = true, all_varchar = true)
