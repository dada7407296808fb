-- A file of ranks may be that of several runs: those in which a workload ranked alike.
insert into mart.rank_history by name
select
    past.run_id,
    past.started_at,
    run.study,
    past.workload,
    ranked.region_kind,
    ranked.region_id,
    ranked.region_name,
    ranked.rank,
    ranked.score
from (
    select
        unnest($runs) as run_id,
        unnest($moments)::timestamp as started_at,
        unnest($workloads) as workload,
        unnest($files) as file
) as past
inner join read_parquet($paths, filename = true) as ranked on past.file = parse_filename(ranked.filename)
cross join meta.run as run
order by past.run_id desc, past.workload, ranked.region_kind, ranked.rank nulls last, ranked.region_id;
