select
    workload,
    rank,
    score,
    gate_status
from mart.parcel_score
where rank between $top and $top + 1
order by workload, rank;
