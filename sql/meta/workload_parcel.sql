insert into meta.workload_parcel by name
select
    workload,
    count(*) filter (where gate_status = 'pass') as pass_count,
    count(*) filter (where gate_status = 'unknown') as unknown_count,
    count(*) filter (where gate_status = 'fail') as fail_count,
    count(rank) as kept_rank
from mart.parcel_score
group by workload
order by workload;
