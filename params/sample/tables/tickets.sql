select
    id as ticket_id,
    customer_id,
    times.created as opened_at,
    handling.via as channel,
    handling.subject as topic,
    handling.complaint as is_complaint,
    times.first_response as first_reply_at,
    times.solved as solved_at,
    handling.reopened as reopened,
    handling.handovers as transfers,
    handling."group" as team,
    order_reference as related_order_id,
    goodwill as compensation_amount,
    'help desk' as source
from _tickets
