select
    workload,
    score,
    gate_status
from mart.parcel_score
where gate_status <> 'fail'
order by workload, score;
