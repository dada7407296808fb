select
    gate.workload,
    gate.metric,
    metric.label,
    gate.value,
    metric.unit,
    gate.at_least,
    gate.at_most,
    gate.gate_status
from mart.parcel_gate as gate
inner join meta.metric as metric on gate.metric = metric.metric
where gate.parcel_id = $parcel_id
order by gate.workload desc, gate.metric;
