-- Questions that both engines answer alike: a name, then one SELECT over o and p.

-- all columns
select *
from o
order by order_id;

-- whole numbers
select order_id, units + 1 as a, -units as b, abs(units) as c
from o
order by order_id;

-- decimals add up
select sum(net_amount) as total, min(net_amount) as least
from o;

-- decimals by group
select channel, sum(net_amount) as s
from o
group by channel
order by channel;

-- means
select avg(net_amount) as m, avg(units) as u, avg(net_amount / nullif(units, 0)) as r
from o;

-- counts
select count(*) as n, count(units) as k, count(distinct customer_id) as c
from o;

-- no rows
select sum(units) as s, count(*) as n, avg(weight) as m
from o
where units > 99;

-- division
select order_id, net_amount / nullif(units, 0) as r
from o
order by order_id;

-- whole division
select order_id, units // 2 as q, units % 3 as r
from o
order by order_id;

-- rounding
select order_id, round(weight, 1) as r, floor(weight) as f, ceil(weight) as c
from o
order by order_id;

-- missing values
select order_id, coalesce(units, -1) as u, units is null as m, nullif(units, 7) as s
from o
order by order_id;

-- three values
select order_id, flag and units > 0 as a, flag or units > 0 as b, not flag as c
from o
order by order_id;

-- order of missing
select order_id, units
from o
order by units desc, order_id;

-- text
select order_id, lower(channel) as l, upper(customer_id) as u, length(customer_id) as n
from o
order by order_id;

-- pieces of text
select order_id, substr(channel, 2, 3) as s, replace(channel, '\', '/') as r, channel || '!' as j
from o
order by order_id;

-- like
select order_id
from o
where channel like '%''s%' or channel like 'w%'
order by order_id;

-- case
select order_id, case when units > 2 then 'many' when units is null then 'unknown' else 'few' end as k
from o
order by order_id;

-- days
select order_id, date_diff('day', placed_at, timestamp '2018-04-01 00:00:00') as d
from o
order by order_id;

-- parts of a moment
select order_id, extract(year from placed_at) as y, extract(month from placed_at) as m, cast(placed_at as date) as d
from o
order by order_id;

-- months
select date_trunc('month', placed_at) as m, count(*) as n
from o
group by 1
order by 1;

-- intervals
select order_id, placed_at + interval 30 day as later
from o
where placed_at < timestamp '2018-02-01 00:00:00'
order by order_id;

-- window
select order_id, sum(units) over (partition by customer_id order by order_id) as s, lag(units) over (order by order_id) as l
from o
order by order_id;

-- rows window
select order_id, avg(weight) over (order by order_id rows between 1 preceding and current row) as m
from o
order by order_id;

-- ranks
select order_id, ntile(4) over (order by order_id) as q, row_number() over (order by units, order_id) as r, dense_rank() over (order by units) as d
from o
order by order_id;

-- filter
select count(*) filter (where flag) as yes, sum(net_amount) filter (where not flag) as s
from o;

-- having
select customer_id, count(*) as n
from o
group by customer_id
having count(*) > 1
order by customer_id;

-- join
select o.order_id, p.birth_on
from o
join p on o.customer_id = p.customer_id
order by o.order_id;

-- left join
select p.customer_id, count(o.order_id) as n
from p
left join o on o.customer_id = p.customer_id
group by p.customer_id
order by p.customer_id;

-- inequality join
select a.order_id as x, b.order_id as y
from o as a
join o as b on a.placed_at < b.placed_at and a.customer_id = b.customer_id
order by x, y;

-- full join
select coalesce(o.customer_id, p.customer_id) as c, count(*) as n
from o
full join p on o.customer_id = p.customer_id
group by 1
order by 1;

-- exists
select customer_id
from p
where not exists (select 1 from o where o.customer_id = p.customer_id)
order by customer_id;

-- union
select customer_id
from o union select customer_id
from p
order by customer_id;

-- union all
select customer_id, 1 as k
from o union all select customer_id, 2
from p
order by customer_id, k;

-- with
with s as (select customer_id, sum(units) as u from o group by customer_id) select count(*) as n, max(u) as m
from s;

-- spread
select stddev(units) as s, var_samp(weight) as v, corr(units, weight) as c
from o;

-- distinct
select distinct units
from o
order by units;
