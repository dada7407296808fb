-- Scores and gates of a workload without some metrics: the weights that remain are scaled to sum to 1.
with weighed as (
    select
        metric,
        weight / sum(weight) over () as weight
    from meta.factor
    where workload = $workload and not is_removed and not list_contains($dropped, metric)
),

scored as (
    select
        factor.parcel_no,
        sum(round(coalesce(100 * weighed.weight * factor.value_score, 0) * 1e9)::bigint)::bigint as score_e9
    from mart.parcel_factor as factor
    inner join weighed using (metric)
    where factor.workload = $workload
    group by factor.parcel_no
),

judged as (
    select
        parcel_no,
        bool_or(gate_status = 'fail') as is_failed,
        bool_or(gate_status = 'unknown') as is_unknown,
        list(metric order by metric) filter (where gate_status = 'fail') as gates_failed
    from mart.parcel_gate
    where workload = $workload and not list_contains($dropped, metric)
    group by parcel_no
)

select
    scored.parcel_no,
    scored.score_e9,
    case when judged.is_failed then 'fail' when judged.is_unknown then 'unknown' else 'pass' end as gate_status,
    coalesce(judged.gates_failed, []) as gates_failed
from scored
left join judged using (parcel_no)
order by scored.parcel_no;
