-- The best parcel of each region at each substation, of one piece.
select
    workload,
    region_kind,
    region_id,
    substation_id,
    gate_status,
    score,
    parcel_id
from staging.region_best
order by workload, region_kind, region_id, substation_id;
