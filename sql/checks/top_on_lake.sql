-- severity: error
-- description: no parcel of the first hundred is mostly lake or park, save lots whose workload asks for so many acres free of both
with asks as (
    select distinct workload
    from meta.gate
    where metric = 'contiguous_acres' and not is_removed
)

select score.workload, score.rank, score.parcel_id, metric.lake_share, metric.park_share
from mart.parcel_score as score
inner join core.parcel as parcel using (parcel_id)
inner join core.parcel_metric as metric using (parcel_id)
left join asks using (workload)
where
    score.rank <= 100
    and (metric.lake_share > 0.5 or metric.park_share > 0.5)
    -- A cell stands for land of which any part may be meant, a lot for itself.
    and (parcel.parcel_kind = 'h3_cell' or asks.workload is null or metric.contiguous_acres is null);
