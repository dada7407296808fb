select
    workload,
    gate_status,
    list(score order by score) as scores
from mart.parcel_score
where gate_status <> 'fail'
group by workload, gate_status
order by workload, gate_status;
