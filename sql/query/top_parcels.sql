select
    score.rank,
    score.parcel_id,
    parcel.parcel_name,
    county.county_name || ', ' || parcel.state_id as county_name,
    score.score,
    score.score_low,
    score.score_high,
    confidence.p_top10,
    confidence.p_top100,
    confidence.rank_p05,
    confidence.rank_p95,
    confidence.swing_metric,
    cost.low as cost_low,
    cost.mid as cost_mid,
    cost.high as cost_high,
    score.gate_status,
    score.gates_unknown,
    score.factors_unknown,
    metric.headroom_mw_low,
    metric.headroom_mw_mid,
    metric.headroom_mw_high,
    metric.headroom_substation_id,
    metric.headroom_substation_mi,
    metric.industrial_usd_per_mwh,
    metric.major_metro_name,
    metric.major_metro_mi,
    parcel.lon,
    parcel.lat
from mart.parcel_score as score
inner join core.parcel using (parcel_no)
inner join core.parcel_metric as metric on parcel.parcel_id = metric.parcel_id
left join core.county on parcel.county_id = county.county_id
left join mart.parcel_cost as cost on score.workload = cost.workload and score.parcel_no = cost.parcel_no
left join mart.parcel_confidence as confidence
    on
        score.workload = confidence.workload
        and score.parcel_no = confidence.parcel_no
        and confidence.basis = 'score'
where score.workload = $workload and score.rank is not null
order by score.rank
limit $n;
