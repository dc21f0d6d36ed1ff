-- Blank-separated text with leading blanks. Several purchases on one day are separate
-- orders, equal rows too, so they are numbered within the day.
with fields as (
    select string_split_regex(trim(line), '\s+') as f
    from read_csv('{raw}/CDNOW_master.txt', header = false, skip = 1, delim = '\t', quote = '',
        columns = {'line': 'VARCHAR'})
)
select
    f[1] as customer_id,
    strptime(f[2], '%Y%m%d') as placed_at,
    f[3]::integer as cds,
    f[4]::decimal(18, 2) as net_amount,
    row_number() over (partition by f[1], f[2] order by f[4]::decimal(18, 2), f[3]::integer) as number
from fields
