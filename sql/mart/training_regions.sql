create view mart.training_regions as
select * exclude (workload)
from mart.ranked_regions
where workload = 'training'
order by region_kind, rank nulls last, region_id;
comment on view mart.training_regions is
'Regions ranked for training, with the metrics of the best parcel of each; unranked ones have a NULL rank: mart.ranked_regions of that workload';
