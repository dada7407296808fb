-- How the gates of each workload judge the parcels of all pieces.
select
    workload,
    count(*) filter (where gate_status = 'pass') as pass_count,
    count(*) filter (where gate_status = 'unknown') as unknown_count,
    count(*) filter (where gate_status = 'fail') as fail_count,
    least($most, count(*) filter (where gate_status <> 'fail')) as kept_rank
from read_parquet($score_paths)
group by workload
order by workload;
