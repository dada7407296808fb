create view mart.inference_regions as
select * exclude (workload)
from mart.ranked_regions
where workload = 'inference'
order by region_kind, rank nulls last, region_id;
comment on view mart.inference_regions is
'Regions ranked for inference, with the metrics of the best parcel of each; unranked ones have a NULL rank: mart.ranked_regions of that workload';
