-- What ranks each parcel of a piece among all others.
select
    score.workload,
    score.parcel_id,
    summed.low,
    summed.unknown,
    score.gate_status,
    score.gates_failed,
    score.gates_unknown,
    score.factors_unknown
from mart.parcel_score as score
inner join staging.parcel_sum as summed using (workload, parcel_no)
order by score.workload, score.parcel_no;
