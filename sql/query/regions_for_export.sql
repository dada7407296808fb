select
    region_rank.* exclude (workload), region.population_people, parcel.parcel_name as best_parcel_name,
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
    metric.headroom_mw_low, metric.headroom_mw_mid, metric.headroom_mw_high,
    metric.substation_230kv_mi, metric.line_230kv_mi, metric.firm_generation_50mi_mw,
    metric.industrial_usd_per_mwh, metric.major_metro_name, metric.major_metro_mi,
    metric.population_50mi, metric.carrier_25mi_count,
    metric.rtt_major_metro_ms_low, metric.rtt_major_metro_ms_mid, metric.rtt_major_metro_ms_high,
    metric.people_5ms_mid, metric.people_10ms_low, metric.people_10ms_mid, metric.people_10ms_high,
    metric.people_20ms_mid, metric.is_single_homed, metric.known_share,
    region.lon, region.lat, region.geometry
from mart.region_rank
inner join mart.region using (region_kind, region_id)
left join mart.region_cost as cost using (workload, region_kind, region_id)
left join mart.region_confidence as confidence
    on
        region_rank.workload = confidence.workload
        and region_rank.region_kind = confidence.region_kind
        and region_rank.region_id = confidence.region_id
        and confidence.basis = 'score'
left join core.parcel on region_rank.best_parcel_id = parcel.parcel_id
left join core.parcel_metric as metric on region_rank.best_parcel_id = metric.parcel_id
where
    region_rank.workload = $workload
    and ($level is null or region_rank.region_kind = $level)
    and ($n is null or region_rank.rank <= $n)
order by region_rank.region_kind, region_rank.rank nulls last, region_rank.region_id;
