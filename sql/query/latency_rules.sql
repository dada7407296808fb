select
    name,
    low,
    mid,
    high,
    unit,
    kind,
    source
from meta.latency_rule
order by name;
