select gate.*, metric.label, metric.unit
from meta.gate
left join meta.metric using (metric)
order by gate.workload, gate.rowid;
