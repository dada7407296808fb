with total as (select count(*) as parcel_count from core.parcel)

select metric.metric, count(value.parcel_no)::double / any_value(total.parcel_count) as known_share
from meta.metric as metric
cross join total
left join mart.parcel_metric_value as value on metric.metric = value.metric
group by metric.metric
order by metric.metric;
