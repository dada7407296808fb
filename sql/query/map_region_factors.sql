select
    dense_rank() over (order by region.region_id) - 1 as position,
    factor.metric,
    round(factor.value_score * 1e6) as millionths
from mart.region
left join mart.region_factor as factor
    on
        region.region_kind = factor.region_kind
        and region.region_id = factor.region_id
        and factor.workload = $workload
where region.region_kind = $level;
