select
    workload,
    metric,
    label,
    profile_weight,
    is_removed,
    removed_why,
    why,
    source
from meta.factor
order by workload, rowid;
