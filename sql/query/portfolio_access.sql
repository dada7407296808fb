-- Fiber nodes of the parcels that pass all gates of a workload.
select
    parcel.parcel_id,
    access.access_no,
    access.node_id,
    access.access_mi
from core.parcel_access as access
inner join core.parcel as parcel on access.parcel_no = parcel.parcel_no
inner join mart.parcel_score as score on parcel.parcel_no = score.parcel_no
where score.workload = $workload and score.gate_status = 'pass'
order by parcel.parcel_id, access.access_no;
