-- severity: error
-- description: every region is ranked or says why not
select workload, region_kind, region_id from mart.region_rank where rank is null and reason is null
union all
select 'all', region_kind, region_id
from mart.region
where not exists (
    select 1 from mart.region_rank
    where region_rank.region_kind = region.region_kind and region_rank.region_id = region.region_id
);
