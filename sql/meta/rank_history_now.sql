insert into mart.rank_history by name
select
    run.run_id,
    run.started_at,
    run.study,
    ranked.workload,
    ranked.region_kind,
    ranked.region_id,
    ranked.region_name,
    ranked.rank,
    ranked.score
from meta.run as run
cross join (
    select
        workload,
        region_kind,
        region_id,
        region_name,
        rank,
        score
    from mart.region_rank
    union all
    select
        score.workload,
        'parcel' as region_kind,
        score.parcel_id as region_id,
        parcel.parcel_name as region_name,
        score.rank,
        score.score
    from mart.parcel_score as score
    inner join core.parcel using (parcel_no)
    where score.rank <= $parcels
) as ranked
order by ranked.workload, ranked.region_kind, ranked.rank nulls last, ranked.region_id;

insert into mart.source_history by name
select
    run.run_id,
    run.started_at,
    source.source_id,
    source.version,
    source.as_of,
    source.sha256,
    source.is_stale
from meta.run as run
cross join meta.source as source
order by source.source_id;
