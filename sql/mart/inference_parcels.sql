create view mart.inference_parcels as
select * exclude (workload)
from mart.ranked_parcels
where workload = 'inference'
order by rank nulls last, parcel_id;
comment on view mart.inference_parcels is
'Parcels ranked for inference, with every metric behind the rank: mart.ranked_parcels of that workload';
