create view mart.parcel_gate as
select
    gate.workload,
    parcel.parcel_no,
    parcel.parcel_id,
    gate.metric,
    metric_value.value,
    gate.at_least,
    gate.at_most,
    case
        when metric_value.value is null then 'unknown'
        when metric_value.value >= gate.at_least or metric_value.value <= gate.at_most then 'pass'
        else 'fail'
    end as gate_status
from core.parcel
cross join meta.gate
left join (
    -- Most metrics are no gate: joined, they would double the time that all parcels take.
    select * from mart.parcel_metric_value where metric in (select metric from meta.gate)
) as metric_value
    on parcel.parcel_no = metric_value.parcel_no and gate.metric = metric_value.metric
where not gate.is_removed;
comment on view mart.parcel_gate is 'Every gate of every parcel: pass, fail or unknown';
comment on column mart.parcel_gate.workload is 'Workload';
comment on column mart.parcel_gate.parcel_no is 'Parcel, as in core.parcel';
comment on column mart.parcel_gate.parcel_id is 'Parcel';
comment on column mart.parcel_gate.metric is 'Metric of the gate';
comment on column mart.parcel_gate.value is 'Value of the metric in its own unit; NULL is unknown';
comment on column mart.parcel_gate.at_least is 'Lowest value that passes';
comment on column mart.parcel_gate.at_most is 'Highest value that passes';
comment on column mart.parcel_gate.gate_status is 'pass, fail or unknown';
