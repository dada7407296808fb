select
    name,
    at_x,
    low,
    mid,
    high,
    unit,
    dollar_year,
    kind,
    source
from meta.cost_rule
order by name, at_x;
