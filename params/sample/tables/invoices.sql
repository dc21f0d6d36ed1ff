select
    invoice_id,
    'email_hash:' || email_md5 as customer_id,
    sub_id as subscription_id,
    order_ref as order_id,
    issued as issued_at,
    strptime(due, '%d/%m/%Y')::date as due_on,
    paid as paid_at,
    (total_cents::decimal(18, 2) / 100)::decimal(18, 2) as total_amount,
    bounced as failed_attempts,
    reminder_level as dunning_stage,
    disputed as disputed_at,
    dispute_closed as dispute_resolved_at,
    is_credit_note as corrected,
    'billing' as source
from read_csv('{raw}/billing/invoices.csv', header = true, all_varchar = true)
