create view mart.training_parcels as
select * exclude (workload)
from mart.ranked_parcels
where workload = 'training'
order by rank nulls last, parcel_id;
comment on view mart.training_parcels is
'Parcels ranked for training, with every metric behind the rank: mart.ranked_parcels of that workload';
