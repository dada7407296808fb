select
    coalesce(present.source_id, past.source_id) as source_id,
    past.version as version_before,
    present.version as version_after,
    past.as_of as as_of_before,
    present.as_of as as_of_after,
    past.source_id is null as is_new,
    present.source_id is null as is_gone
from (select * from mart.source_history where run_id = (select run_id from meta.run)) as present
full join (select * from mart.source_history where run_id = $since) as past
    on present.source_id = past.source_id
where past.sha256 is distinct from present.sha256
order by source_id;
