-- Parcels that fail no gate of a workload, the best first.
select
    parcel_id,
    parse_filename(filename, true) as piece,
    low / 1e9 as score,
    (low + unknown) / 1e9 as score_high,
    gate_status
from read_parquet($score_paths, filename = true)
where workload = $workload and gate_status <> 'fail'
order by gate_status = 'unknown', low desc, parcel_id;
