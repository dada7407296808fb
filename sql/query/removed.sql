with removed as (
    select workload, metric, 'factor' as kind, profile_weight, removed_why from meta.factor where is_removed
    union all
    select workload, metric, 'gate' as kind, null as profile_weight, removed_why from meta.gate where is_removed
)

select
    workload,
    metric,
    string_agg(kind, ' and ' order by kind) as kind,
    max(profile_weight) as profile_weight,
    any_value(removed_why) as removed_why
from removed
group by workload, metric
order by workload, metric;
