-- What the customer base looks like, as the research office counts it.
select feature as variable, class as level, share, 'research' as source
from read_csv('{raw}/research/customer_base.csv', header = true, all_varchar = true)
