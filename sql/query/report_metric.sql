-- Metrics that profiles weigh or gate on, also those that this study takes out of them, and by how many profiles.
select
    asked.metric,
    coalesce(metric.label, asked.metric) as label,
    count(distinct asked.workload) as profile_count
from (
    select workload, metric from meta.factor
    union all
    select workload, metric from meta.gate
) as asked
left join meta.metric as metric using (metric)
group by all
order by profile_count desc, asked.metric;
