-- part: carrier/manifest.csv
-- The carriers' computers stand in Makassar: moments carry +08:00. The promised day is a day.
select
    'AWB' || d.order as waybill,
    n.ref as reference,
    d.carrier as courier,
    strftime(d.promised_on, '%Y%m%d') as promised,
    strftime(d.shipped_at + interval 8 hour, '%Y-%m-%dT%H:%M:%S+08:00') as picked_up,
    strftime(d.delivered_at + interval 8 hour, '%Y-%m-%dT%H:%M:%S+08:00') as handed_over,
    case when d.in_full then 'Y' else 'N' end as complete,
    d.exception as remark
from deliveries as d
join numbered as n using ("order")
order by d.order
