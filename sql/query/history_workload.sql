select
    workload,
    title,
    objective,
    target_mw,
    max_site_mw,
    capacity_metric
from meta.workload
order by rowid;
