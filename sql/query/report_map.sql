-- Counties with their rank for a workload, to draw.
select
    region.region_id,
    region.region_name,
    region_rank.rank,
    region.geometry
from mart.region
left join mart.region_rank
    on
        region.region_kind = region_rank.region_kind
        and region.region_id = region_rank.region_id
        and region_rank.workload = $workload
where region.region_kind = 'county'
order by region.region_id;
