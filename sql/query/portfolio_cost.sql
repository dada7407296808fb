select
    parcel_id,
    objective,
    low,
    mid,
    high
from mart.parcel_cost
where workload = $workload and mid is not null
order by parcel_id;
