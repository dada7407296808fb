select workload, metric, from_x, from_value, slope
from meta.value_segment
order by workload, metric, from_x;
