-- once: survey/codebook.csv
select
    printf('Q%02d', place) as Code,
    code as Item,
    construct as Construct,
    nullif(dimension, '') as Dimension,
    scale_min as "From",
    scale_max as "To",
    reversed as Reversed,
    nullif(touchpoint, '') as Touchpoint
from questions
order by place
