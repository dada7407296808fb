select
    workload,
    mid
from mart.parcel_cost
where cost_rank is not null
order by workload, mid;
