select
    score.* exclude (workload, parcel_no),
    confidence.p_top10,
    confidence.p_top100,
    confidence.rank_p05,
    confidence.rank_p50,
    confidence.rank_p95,
    confidence.swing_metric,
    cost.cost_rank,
    cost.low as cost_low,
    cost.mid as cost_mid,
    cost.high as cost_high,
    cost.capital_musd_mid,
    cost.time_to_power_years_mid,
    parcel.parcel_name,
    parcel.parcel_kind,
    parcel.county_id,
    county.county_name,
    parcel.state_id,
    parcel.zone_id,
    metric.* exclude (parcel_id),
    parcel.lon,
    parcel.lat,
    parcel.geometry
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
where score.workload = $workload and ($n is null or score.rank <= $n)
order by score.rank nulls last, score.parcel_id;
