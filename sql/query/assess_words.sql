select
    metric,
    label,
    unit
from meta.metric
order by metric;
