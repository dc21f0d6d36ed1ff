-- part: billing/invoices.csv
select
    'IV' || i.invoice as invoice_id,
    k.email_hash as email_md5,
    case when i.subscription >= 0 then 'SUB' || i.subscription end as sub_id,
    n.ref as order_ref,
    strftime(i.issued_at, '%Y-%m-%dT%H:%M:%SZ') as issued,
    strftime(i.due_on, '%d/%m/%Y') as due,
    strftime(i.paid_at, '%Y-%m-%dT%H:%M:%SZ') as paid,
    i.total_amount * 100 as total_cents,
    i.failed_attempts as bounced,
    i.dunning_stage as reminder_level,
    strftime(i.disputed_at, '%Y-%m-%dT%H:%M:%SZ') as disputed,
    strftime(i.dispute_resolved_at, '%Y-%m-%dT%H:%M:%SZ') as dispute_closed,
    i.corrected as is_credit_note,
    case when k.is_kept then i.issued_at end as _at
from invoices as i
join known as k using (person)
left join numbered as n using ("order")
order by i.invoice
