select
    cost.workload,
    profile.design_mw,
    profile.usd_per_mwh,
    profile.load_factor,
    profile.watt_hours_per_query,
    profile.premium_usd_per_million_queries,
    profile.latency_budget_ms,
    cost.objective,
    cost.cost_rank,
    ranked.cost_ranked_count
from mart.parcel_cost as cost
inner join meta.workload as profile on cost.workload = profile.workload
inner join (
    select
        workload,
        count(cost_rank) as cost_ranked_count
    from mart.parcel_cost
    group by workload
) as ranked on cost.workload = ranked.workload
where cost.parcel_id = $parcel_id;
