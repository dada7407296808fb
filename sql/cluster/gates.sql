-- Parcels of every region by the gates that they fail, of all pieces.
select
    workload,
    gates_failed,
    region_kind,
    region_id,
    sum(parcel_count)::bigint as parcel_count,
    sum(candidate_count)::bigint as candidate_count
from read_parquet($gate_paths)
group by all
order by all;
