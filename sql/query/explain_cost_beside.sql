select
    workload,
    parcel_id,
    mid
from mart.parcel_cost
where parcel_id in (select unnest($parcel_ids::varchar[]));
