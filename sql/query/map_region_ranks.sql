select
    ranked.rank,
    ranked.score,
    ranked.score_high,
    coalesce(case ranked.gate_status when 'pass' then 1 when 'unknown' then 2 end, 0) as gate_status,
    ranked.capacity_mw,
    ranked.filled_share,
    ranked.substation_count,
    ranked.candidate_count,
    confidence.rank_p05,
    confidence.rank_p50,
    confidence.rank_p95,
    confidence.p_top10,
    confidence.p_top100,
    cost.cost_rank,
    cost.low as cost_low,
    cost.mid as cost_mid,
    cost.high as cost_high,
    cost.capital_musd_mid,
    cost.time_to_power_years_mid,
    ranked.reason,
    ranked.best_parcel_id,
    confidence.swing_metric
from mart.region_rank as ranked
left join mart.region_cost as cost using (workload, region_kind, region_id)
left join mart.region_confidence as confidence
    on
        ranked.workload = confidence.workload
        and ranked.region_kind = confidence.region_kind
        and ranked.region_id = confidence.region_id
        and confidence.basis = 'score'
where ranked.workload = $workload and ranked.region_kind = $level
order by ranked.region_id;
