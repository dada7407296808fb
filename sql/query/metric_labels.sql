select
    metric,
    label
from meta.metric
order by metric;
