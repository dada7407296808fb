select
    parcel_id,
    objective,
    low,
    mid,
    high,
    coalesce(missing, []) as missing
from mart.parcel_cost
where workload = $workload and mid is not null
order by parcel_id;
