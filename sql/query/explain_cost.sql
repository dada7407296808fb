select
    profile.design_mw,
    profile.usd_per_mwh,
    profile.load_factor,
    profile.watt_hours_per_query,
    profile.premium_usd_per_million_queries,
    profile.latency_budget_ms,
    cost.objective,
    cost.cost_rank,
    cost.mid,
    (select count(other.cost_rank) from mart.parcel_cost as other where other.workload = $workload) as cost_ranked_count
from mart.parcel_cost as cost
inner join meta.workload as profile on cost.workload = profile.workload
where cost.workload = $workload and cost.parcel_id = $parcel_id;
