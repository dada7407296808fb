-- severity: error
-- description: no parcel of the first hundred is mostly lake or park
select score.workload, score.rank, score.parcel_id, metric.lake_share, metric.park_share
from mart.parcel_score as score
inner join core.parcel_metric as metric using (parcel_id)
where score.rank <= 100 and (metric.lake_share > 0.5 or metric.park_share > 0.5);
