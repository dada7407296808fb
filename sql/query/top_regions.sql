select
    region_rank.rank,
    region_rank.region_id,
    region_rank.region_name,
    region_rank.score,
    region_rank.score_low,
    region_rank.score_high,
    confidence.p_top10,
    confidence.p_top100,
    confidence.rank_p05,
    confidence.rank_p95,
    confidence.swing_metric,
    cost.low as cost_low,
    cost.mid as cost_mid,
    cost.high as cost_high,
    region_rank.gate_status,
    region_rank.capacity_mw,
    region_rank.filled_share,
    region_rank.substation_count,
    region_rank.best_parcel_id,
    region_rank.reason,
    region.lon,
    region.lat
from mart.region_rank
inner join mart.region using (region_kind, region_id)
left join mart.region_cost as cost using (workload, region_kind, region_id)
left join mart.region_confidence as confidence
    on
        region_rank.workload = confidence.workload
        and region_rank.region_kind = confidence.region_kind
        and region_rank.region_id = confidence.region_id
        and confidence.basis = 'score'
where region_rank.workload = $workload and region_rank.region_kind = $level and region_rank.rank is not null
order by region_rank.rank
limit $n;
