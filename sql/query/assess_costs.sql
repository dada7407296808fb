select
    workload,
    list(mid::double order by mid) as mids
from mart.parcel_cost
where cost_rank is not null
group by workload
order by workload;
