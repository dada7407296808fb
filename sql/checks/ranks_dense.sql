-- severity: error
-- description: ranks run from 1 without a gap or a rank held twice, as far as the build holds every parcel
select
    told.workload,
    max(score.rank) as highest,
    count(score.rank) as ranked
from meta.workload_parcel as told
left join mart.parcel_score as score using (workload)
group by told.workload, told.kept_rank, told.pass_count, told.unknown_count
having
    count(distinct score.rank) <> count(score.rank)
    or count(score.rank) filter (where score.rank <= told.kept_rank) <> told.kept_rank
    or max(score.rank) > told.pass_count + told.unknown_count
union all
select workload || ' ' || region_kind, max(rank), count(rank)
from mart.region_rank
group by workload, region_kind
having max(rank) <> count(rank) or count(distinct rank) <> count(rank);
