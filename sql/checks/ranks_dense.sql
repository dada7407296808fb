-- severity: error
-- description: ranks run from 1 without a gap or a rank held twice
select workload, max(rank) as highest, count(rank) as ranked
from mart.parcel_score
group by workload
having max(rank) <> count(rank) or count(distinct rank) <> count(rank)
union all
select workload || ' ' || region_kind, max(rank), count(rank)
from mart.region_rank
group by workload, region_kind
having max(rank) <> count(rank) or count(distinct rank) <> count(rank);
