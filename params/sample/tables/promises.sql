-- Four kinds: the day of a delivery, that goods are there, the first reply, a quoted price.
select
    "PromiseNo" as promise_id,
    'email_hash:' || "ContactKey" as customer_id,
    "PromiseKind" as kind,
    'order' as object_type,
    "OrderNo" as object_id,
    "PromisedAt" as promised_at,
    coalesce("PromisedDay", 'in stock') as promised_value,
    "RevisedDay" as revised_value,
    -- The last second of the promised day, so that it belongs to the cycle of that day; goods
    -- must be there by the time of the order.
    coalesce(
        ("PromisedDay"::date + interval 1 day - interval 1 second)::timestamptz,
        "PromisedAt"::timestamptz
    ) as due_at,
    case "PromiseKind"
        when 'delivery_date' then "ResolvedAt"::timestamptz else "PromisedAt"::timestamptz
    end as resolved_at,
    "ActualDay" as actual_value,
    case "Outcome" when 'kept' then true when 'broken' then false end as kept,
    "Owner" as owner,
    'CRM' as source
from read_csv('{raw}/crm/Promises.csv', header = true, all_varchar = true)
union all
select
    id || '/reply', customer_id, 'sla', 'ticket', id,
    times.created::timestamptz, times.response_due, null, times.response_due::timestamptz,
    times.first_response::timestamptz, times.first_response, case response_target when 'met' then true
        when 'missed' then false end,
    handling."group", 'help desk'
from _tickets
where times.response_due is not null
union all
select
    quote_number || '/price', 'email_hash:' || customer_key, 'price', 'quote', quote_number,
    issued::timestamptz, offered_price, null, accepted::timestamptz, accepted::timestamptz,
    invoiced_price,
    invoiced_price::bigint = offered_price::bigint, 'sales', 'CPQ'
from read_csv('{raw}/cpq/quotes.csv', header = true, all_varchar = true)
where accepted is not null
