select metric.*
from mart.region_rank as ranked
left join core.parcel_metric as metric on ranked.best_parcel_id = metric.parcel_id
where ranked.workload = $workload and ranked.region_kind = $level
order by ranked.region_id;
