-- Every parcel with its published place, what baselines rank it by, and what it is matched by. Its acres are those
-- that can be built on, as far as the study knows.
select
    parcel.parcel_no,
    parcel.parcel_id,
    parcel.parcel_name,
    parcel.lon,
    parcel.lat,
    parcel.state_id,
    parcel.county_id,
    metric.metro_mi,
    coalesce(least(metric.acres, metric.buildable_acres, metric.area_acres, parcel.area_acres), 0)::double as acres,
    metric.substation_230kv_mi,
    metric.population_50mi,
    score.rank,
    round(score.score * 1e9)::bigint as score_e9,
    score.gate_status,
    score.gates_failed
from core.parcel
inner join core.parcel_metric as metric using (parcel_id)
inner join mart.parcel_score as score on parcel.parcel_no = score.parcel_no and score.workload = $workload
order by parcel.parcel_no;
