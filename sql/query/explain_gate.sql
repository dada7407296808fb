select
    gate.workload,
    gate.metric,
    metric.label,
    metric.unit,
    string_split(metric.layer, ' ') as layers,
    gate.at_least,
    gate.at_most,
    gate.why
from meta.gate
inner join meta.metric as metric on gate.metric = metric.metric
where not gate.is_removed
order by gate.workload, gate.metric;
