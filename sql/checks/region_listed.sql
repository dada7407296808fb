-- severity: error
-- description: every region is ranked for every workload or says why not
select workload, region_kind, region_id from mart.region_rank where rank is null and reason is null
union all
select workload.workload, region.region_kind, region.region_id
from mart.region
cross join meta.workload
anti join mart.region_rank using (workload, region_kind, region_id);
