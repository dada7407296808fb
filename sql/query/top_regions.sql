select
    rank,
    region_id,
    region_name,
    score,
    score_low,
    score_high,
    p_top10,
    p_top100,
    rank_p05,
    rank_p95,
    swing_metric,
    cost_low,
    cost_mid,
    cost_high,
    gate_status,
    capacity_mw,
    filled_share,
    substation_count,
    best_parcel_id,
    reason,
    lon,
    lat
from mart.ranked_regions
where workload = $workload and region_kind = $level and rank is not null
order by rank
limit $n;
