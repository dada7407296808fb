select
    rank,
    parcel_id,
    parcel_name,
    county_name || ', ' || state_id as county_name,
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
    gates_unknown,
    factors_unknown,
    headroom_mw_low,
    headroom_mw_mid,
    headroom_mw_high,
    headroom_substation_id,
    headroom_substation_mi,
    industrial_usd_per_mwh,
    major_metro_name,
    major_metro_mi,
    lon,
    lat
from mart.ranked_parcels
where workload = $workload and rank is not null
order by rank
limit $n;
