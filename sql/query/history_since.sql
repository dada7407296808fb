-- The run that this build is told to have moved since; no row where it equals the newest of its history, or is the first.
select
    past.run_id,
    past.started_at
from (select distinct run_id, started_at from mart.rank_history) as past
inner join (
    select max(run_id) as run_id
    from mart.rank_history
) as newest on past.run_id < newest.run_id
inner join meta.run as run on newest.run_id = run.run_id
order by past.run_id desc
limit 1;
