-- The runs that the build's history holds, the newest first.
select distinct
    run_id,
    started_at
from mart.rank_history
order by run_id desc;
