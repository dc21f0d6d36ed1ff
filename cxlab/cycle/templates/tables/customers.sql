-- One file per table, named for it: one SELECT, in DuckDB's dialect, that gives the columns
-- of docs/data-model.md. This table is the only one that a study must have.
--
-- One row per person. Columns beyond those of the model are kept, and may be used to
-- compare groups. Names, e-mail addresses and phone numbers stay outside.
select
    "Customer No" as customer_id,
    "Signed up" as first_seen_at,
    "Came by" as acquisition_channel,
    'person' as party,
    "Region" as region,
    'customer list' as source
from read_csv('{raw}/customers.csv', header = true, all_varchar = true)
