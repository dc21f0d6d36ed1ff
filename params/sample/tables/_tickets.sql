-- The help desk knows people by their e-mail, which is hashed here and goes no further.
select
    * exclude (requester),
    'email_hash:' || md5(requester.email) as customer_id
from read_ndjson('{raw}/helpdesk/tickets.jsonl', columns = {
    id: 'VARCHAR',
    requester: 'STRUCT(email VARCHAR, phone VARCHAR)',
    times: 'STRUCT(created VARCHAR, first_response VARCHAR, solved VARCHAR, response_due VARCHAR)',
    handling: 'STRUCT(via VARCHAR, subject VARCHAR, complaint BOOLEAN, "group" VARCHAR, handovers BIGINT, reopened BOOLEAN)',
    response_target: 'VARCHAR',
    order_reference: 'VARCHAR',
    goodwill: 'BIGINT'
})
