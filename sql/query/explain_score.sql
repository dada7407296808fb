select
    score.workload,
    score.rank,
    (select count(rank) from mart.parcel_score as other where other.workload = score.workload) as ranked_count,
    score.score,
    score.score_low,
    score.score_high,
    score.gate_status,
    score.gates_failed,
    score.gates_unknown,
    score.factors_unknown
from mart.parcel_score as score
inner join meta.workload as profile using (workload)
where score.parcel_id = $parcel_id
order by profile.rowid;
