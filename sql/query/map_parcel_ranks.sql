-- Bits count from the first of $gates, the metrics of the gates in use.
select
    score.rank,
    score.score,
    confidence.rank_p05,
    confidence.rank_p95,
    cost.mid as cost_mid,
    coalesce(list_sum(list_transform(score.gates_failed, lambda g: 1 << (list_position($gates, g) - 1))), 0)::double
        as gates_failed,
    coalesce(list_sum(list_transform(score.gates_unknown, lambda g: 1 << (list_position($gates, g) - 1))), 0)::double
        as gates_unknown
from mart.parcel_score as score
left join mart.parcel_cost as cost using (workload, parcel_no)
left join mart.parcel_confidence as confidence
    on
        score.workload = confidence.workload
        and score.parcel_no = confidence.parcel_no
        and confidence.basis = 'score'
where score.workload = $workload
order by score.parcel_no;
