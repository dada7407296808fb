-- How many parcels pass the gates of each workload, and how many counties are ranked and filled.
select
    score.workload,
    score.pass_count,
    score.unknown_count,
    score.fail_count,
    coalesce(region.region_count, 0) as region_count,
    coalesce(region.full_count, 0) as full_count
from (
    select
        workload,
        count(*) filter (where gate_status = 'pass') as pass_count,
        count(*) filter (where gate_status = 'unknown') as unknown_count,
        count(*) filter (where gate_status = 'fail') as fail_count
    from mart.parcel_score
    group by workload
) as score
left join (
    select
        workload,
        count(rank) as region_count,
        count(rank) filter (where filled_share >= 1) as full_count
    from mart.region_rank
    where region_kind = 'county'
    group by workload
) as region using (workload)
order by score.workload;
