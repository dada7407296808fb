-- How many parcels pass the gates of each workload, and how many counties are ranked and filled.
select
    score.workload,
    score.pass_count,
    score.unknown_count,
    score.fail_count,
    coalesce(region.region_count, 0) as region_count,
    coalesce(region.full_count, 0) as full_count
from meta.workload_parcel as score
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
